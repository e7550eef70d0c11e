"""Pairs that look alike. Each is refused for a reason, whichever question came first; paraphrases are not refused."""

import time

import pytest

from waypost.cache.checks import CHECKS, refusal
from waypost.cache.reading import read

DIFFERENT = [
    ("numbers", "What is 15% of 200?", "What is 15% of 300?"),
    ("numbers", "Population of Berlin in 2010", "Population of Berlin in 2020"),
    ("numbers", "Convert 5 km to feet", "Convert 5 miles to feet"),
    ("numbers", "Name three rivers of Spain", "Name four rivers of Spain"),
    ("numbers", "Pay $20 or 20 days?", "Pay €20 or 20 days?"),
    ("numbers", "3公里等于多少米？", "5公里等于多少米？"),
    ("numbers", "二十五的平方根", "三十六的平方根"),
    ("numbers", "两千零一年发生了什么", "二〇〇二年发生了什么"),
    ("quoted", "Translate 'good morning' into French", "Translate 'good night' into French"),
    ("quoted", "What does `a = b` do?", "What does `a == b` do?"),
    ("signs", "What is 12 + 5?", "What is 12 * 5?"),
    ("quoted", "请翻译“你好”", "请翻译“再见”"),
    ("quoted", "Summarise https://a.example/one", "Summarise https://a.example/two"),
    ("numbers", "How many homes does a 5 mW plant supply?", "How many homes does a 5 MW plant supply?"),
    ("numbers", "How long do 100 Mb take over wifi?", "How long do 100 MB take over wifi?"),
    ("numbers", "Convert ₹500 to dollars", "Convert ₩500 to dollars"),
    ("numbers", "How much are 500€?", "How much are 500£?"),
    ("numbers", "What is 5% of 200?", "What is 5 of 200?"),
    ("numbers", "百分之五的税", "5的税"),
    ("signs", "Can I store the vaccine at -20 °C?", "Can I store the vaccine at 20 °C?"),
    ("signs", "Compute -12 + 7", "Compute 12 + 7"),
    ("signs", "Solve x + 3 = -7", "Solve x + 3 = 7"),
    ("signs", "零下5度穿什么？", "5度穿什么？"),
    ("signs", "What is 1.5e3 plus 2?", "What is 1.5e-3 plus 2?"),
    ("signs", "Calculate 2³", "Calculate 23"),
    ("signs", "What is 3⁴?", "What is 34?"),
    ("signs", "计算 3² + 4²", "计算 32 + 42"),
    ("signs", "Read 10₂ as a number", "Read 102 as a number"),
    ("signs", "What is 2 * (3 + 4)?", "What is (2 * 3) + 4?"),
    ("signs", "2 times (3 plus 4)", "(2 times 3) plus 4"),
    ("signs", "What is sin(x)^2 at 1?", "What is sin(x^2) at 1?"),
    ("signs", "What is f(g(x))?", "What is g(f(x))?"),
    ("signs", "What is f'(x) at 3?", "What is f(x) at 3?"),
    ("signs", "What is √2 times 3?", "What is 2 times √3?"),
    ("signs", "What is 5! + 3?", "What is 5 + 3?"),
    ("signs", "What is the value of 4!?", "What is the value of 4?"),
    ("signs", "What does a && b do in bash?", "What does a || b do in bash?"),
    ("signs", "What does the symbol & mean in C?", "What does the symbol | mean in C?"),
    ("signs", "What does the operator % do?", "What does the operator @ do?"),
    ("signs", "What does / do in Python?", "What does // do in Python?"),
    ("signs", "What does \\n mean?", "What does /n mean?"),
    ("signs", "What does the symbol ∀ mean?", "What does the symbol ∃ mean?"),
    ("signs", "Which notes are in D♯ minor?", "Which notes are in D♭ minor?"),
    ("signs", "What does 🍆 mean in a text message?", "What does 🙏 mean in a text message?"),
    ("signs", "What does this mean? 😀", "What does this mean? 😡"),
    ("signs", "What does ls -l do?", "What does ls -L do?"),
    ("signs", "What does tar -xzf do?", "What does tar -xZf do?"),
    ("signs", "What is g in physics?", "What is G in physics?"),
    ("signs", "What is a mW?", "What is a MW?"),
    ("signs", "Does A imply B?", "Does B imply A?"),
    ("signs", "Does a imply b?", "Does b imply a?"),
    ("signs", "Is a > b?", "Is b > a?"),
    ("signs", "What is a/b if a is 1 and b is 2?", "What is b/a if a is 1 and b is 2?"),
    ("signs", "Explain p -> q", "Explain q -> p"),
    ("signs", "Can O+ give blood?", "Can O- give blood?"),
    ("signs", "V = I * R", "I = V * R"),
    ("negation", "Which foods contain vitamin C?", "Which foods do not contain vitamin C?"),
    ("negation", "Why does it work?", "Why doesn't it work?"),
    ("negation", "糖尿病人可以吃西瓜吗？", "糖尿病人不可以吃西瓜吗？"),
    ("negation", "Warum startet der Motor?", "Warum startet der Motor nicht?"),
    ("negation", "¿Puedo viajar con visado?", "¿Puedo viajar sin visado?"),
    ("negation", "Можно ли это есть?", "Почему это нельзя есть?"),
    ("opposites", "How do I enable dark mode?", "How do I disable dark mode?"),
    ("opposites", "Is it legal to fish here?", "Is it illegal to fish here?"),
    ("opposites", "Can dogs eat chocolate?", "Can cats eat chocolate?"),
    ("opposites", "What is the largest planet?", "What is the smallest planet?"),
    ("opposites", "Can I swim before surgery?", "Can I swim after surgery?"),
    ("opposites", "如何安装Docker？", "如何卸载Docker？"),
    ("opposites", "中国的人口是多少？", "印度的人口是多少？"),
    ("opposites", "最高气温是多少", "最低气温是多少"),
    ("wording", "best laptops for students", "best laptops for gamers"),
    ("wording", "How do I delete a branch in git?", "How do I delete a remote branch in git?"),
    ("wording", "How do vaccines work?", "How do engines work?"),
    ("wording", "苹果的热量是多少？", "香蕉的热量是多少？"),
    ("names", "Who leads Siemens in Munich these years", "In these years, who leads Bosch, the Munich firm"),
    ("names", "用numpy怎么求平均值", "怎么在pandas里求平均值"),
    ("form", "Explain recursion briefly", "Please explain recursion in detail"),
    ("form", "Explain osmosis", "Explain osmosis like I'm five"),
    ("form", "详细解释递归", "简短解释递归"),
    ("form", "What is the capital of Peru?", "¿Cuál es la capital de Peru?"),
    ("aspect", "Who wrote Hamlet?", "When was Hamlet written?"),
    ("aspect", "How tall is the Matterhorn?", "How old is the Matterhorn?"),
    ("aspect", "Should I use Docker?", "What is Docker?"),
    ("aspect", "谁发明了电话？", "电话是什么时候发明的？"),
    ("order", "flights from Paris to London", "flights from London to Paris"),
    ("order", "How do I convert JSON to XML?", "How do I convert XML to JSON?"),
    ("order", "Is Python faster than Java?", "Is Java faster than Python?"),
    ("order", "Did Google buy YouTube?", "Did YouTube buy Google?"),
    ("order", "do cats eat mice", "do mice eat cats"),
    ("order", "Who killed Caesar?", "Who did Caesar kill?"),
    ("order", "Divide 10 by 2", "Divide 2 by 10"),
    ("order", "从北京到上海要多久", "从上海到北京要多久"),
    ("timely", "bitcoin price", "price of bitcoin"),
    ("timely", "What is the weather in Oslo?", "How is the weather in Oslo?"),
    ("timely", "Who is the current president of France?", "Who is president of France?"),
    ("timely", "今天有什么新闻", "有什么新闻"),
    ("timely", "最新的iPhone是哪款", "iPhone是哪款"),
    ("timely", "Wie ist das Wetter heute?", "Wie ist das Wetter?"),
]

SAME = [
    ("How can I reset my password?", "How do I reset my password?"),
    ("Please tell me how to reset my password.", "How do I reset my password?"),
    ("What are the benefits of green tea?", "What are the advantages of green tea?"),
    ("Who wrote Hamlet?", "Who is the author of Hamlet?"),
    ("How many people live in Tokyo?", "What is the population of Tokyo?"),
    ("100 miles in km", "How many kilometres are 100 miles?"),
    ("What is 1,000 times 3?", "What is 1000 times 3?"),
    ("What's the way to sort a list using Python?", "In Python, how can a list be sorted?"),
    ("What is the capital of France?", "Tell me France's capital."),
    ("solve this for me - Ann has 3 apples and buys 4. How many?", "Ann has 3 apples and buys 4. How many?"),
    ("Explain osmosis in simple terms", "Can you explain osmosis like I'm five?"),
    ("如何学习Python？", "怎么学习Python？"),
    ("日本的首都是哪里？", "请问日本的首都是什么城市？"),
    ("贫血有哪些症状？", "贫血的表现是什么？"),
    ("What is the time complexity of quicksort?", "time complexity of quicksort"),
    ("How do I reset my password?", "how can I reset my password!"),
    ("Wow!!! How does a fridge work???", "Wow! How does a fridge work?"),
    ("- How do I sort a list?", "How do I sort a list?"),
    ("How do I sort a list (ascending)?", "How do I sort a list, ascending?"),
    ("Which file(s) do I need?", "Which files do I need?"),
    ("solve this for me - A cake needs 3 eggs. And 2 cakes?", "A cake needs 3 eggs. And 2 cakes?"),
    ("What Is A Noun?", "what is a noun?"),
    ("How do I reset it? Thanks! 😊", "How do I reset it?"),
    ("Is salt & pepper a spice?", "Is salt and pepper a spice?"),
    ("vitamin c benefits", "vitamin C benefits"),
    ("How do I sort an array in c?", "How do I sort an array in C?"),
    ("Where is H₂O used?", "Where is H2O used?"),
    ("What is 5 − 3?", "What is 5 - 3?"),
    ("计算１＋１", "计算1+1"),
    ("How much is 500 € in pounds?", "How much is €500 in pounds?"),
    ("Is 16 gb of ram enough?", "Is 16 GB of RAM enough?"),
    ("Convert 5 KM to miles", "Convert 5 km to miles"),
    ("20 °C in fahrenheit", "20℃ in fahrenheit"),
    ("Où est la gare ?", "Où est la gare?"),
    ("iPhone® battery life", "iPhone battery life"),
]


@pytest.mark.parametrize("reason, a, b", DIFFERENT)
def test_refuses(reason, a, b):
    left, right = read(a), read(b)
    assert CHECKS[reason](left, right)
    assert CHECKS[reason](right, left)
    assert refusal(left, right) is not None


@pytest.mark.parametrize("a, b", SAME)
def test_lets_paraphrases_pass(a, b):
    assert refusal(read(a), read(b)) is None
    assert refusal(read(b), read(a)) is None


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("text", [pair[0] for pair in SAME] + ["", "?!", "👋🏽", "İstanbul ẞ ﬁ", "\u0000\ud800"[:1]])
def test_nothing_differs_from_itself(check, text):
    assert not CHECKS[check](read(text), read(text))


def test_a_story_may_happen_today():
    story = "Tom baked 12 rolls this morning. He sold 5. Ann bought 3 of them. How many rolls are left?"
    assert refusal(read(story), read(f"Please solve: {story}")) is None
    news = f"{story} And what is the weather like?"
    assert refusal(read(news), read(news)) == "timely"


def test_the_clearest_reason_is_named():
    assert refusal(read("What is 2 + 2 today?"), read("What is 3 + 2 today?")) == "timely"
    assert refusal(read("Is 3 not odd?"), read("Is 4 odd?")) == "numbers"


@pytest.mark.parametrize(
    "question",
    [
        "generate a strong password",
        "Can you generate a 16 character password for my wifi?",
        "I forgot mine. Generate a new password, please.",
        "generate a uuid",
        "flip a coin",
        "Roll a dice!",
        "Give me a random number between 1 and 100",
        "random number between 1 and 10",
        "Pick a winner among Ann, Bob, Cem",
        "Pick one of these names at random: Ann, Bob",
        "tell me another joke",
        "another joke please",
        "try again",
        "give me a different answer",
        "随机给我一个数字",
        "请帮我生成一个强密码",
        "抛硬币",
        "换一个",
        "再讲一个笑话",
        "EUR USD rate",
        "convert 100 USD to EUR",
        "How much is bitcoin worth?",
        "Is the server up?",
        "Is GitHub down?",
        "What is the status of my order?",
        "比特币价格",
        "网站挂了吗",
    ],
)
def test_what_is_drawn_or_stands_now_is_another_answer_each_time(question):
    assert refusal(read(question), read(question)) == "timely"


@pytest.mark.parametrize(
    "question",
    [
        "explain random forests",
        "make a random forest classifier",
        "What is a random variable?",
        "How do random number generators work?",
        "create a random password generator",
        "what is a password manager",
        "How do I reset my password?",
        "How do I generate a strong password?",
        "create a password policy",
        "generate a uuid in Python",
        "uuid vs guid",
        "How does a coin flip work?",
        "A student picks a ball at random from 5. What is the probability?",
        "Should I try again when my card was declined?",
        "What is another word for happy?",
        "Tell me a joke",
        "How do I exchange USD to GBP?",
        "Is the shop open on weekdays?",
        "Is the world upside down?",
        "什么是随机森林",
        "随机变量的定义",
        "如何生成一个密码",
        "怎么换一个手机铃声",
        "密码学是什么",
    ],
)
def test_a_word_of_chance_alone_is_no_request_for_it(question):
    assert refusal(read(question), read(question)) is None


@pytest.mark.parametrize("text", ["-" * 4000, "(" * 4000, "a " * 2000, "1:" * 2000, "/! " * 1300, "please " * 570])
def test_no_text_takes_the_checks_long(text):
    one, other = read(text), read(f"{text}x")
    start = time.perf_counter()
    refusal(one, other)
    assert time.perf_counter() - start < 1
