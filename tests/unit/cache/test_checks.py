"""Pairs that look alike. Each is refused for a reason, whichever question came first; paraphrases are not refused."""

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
    ("quoted", "What is 12 + 5?", "What is 12 * 5?"),
    ("quoted", "请翻译“你好”", "请翻译“再见”"),
    ("quoted", "Summarise https://a.example/one", "Summarise https://a.example/two"),
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
