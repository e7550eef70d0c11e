"""Language: short prompts as users write them, and text that has no language."""

import gzip
import json
from collections import Counter
from pathlib import Path

import pytest

from waypost.signals.language import LanguageSignal
from waypost.signals.names import LANGUAGES
from waypost.types import Request

_DATA = Path(__file__).parents[4] / "shared" / "data"

PROMPTS = {
    "en": [
        "Tell me a joke about cats",
        "What's the weather like?",
        "Is a verbal contract enforceable?",
        "Write a Python function that reverses a linked list",
        "Explain photosynthesis briefly",
        "fix this bug please",
        "How do I boil an egg?",
        "Who won the war?",
    ],
    "de": [
        "Erzähl mir einen Witz über Katzen",
        "Wie koche ich ein Ei?",
        "Ist ein mündlicher Vertrag gültig?",
        "Schreibe eine Python-Funktion zum Sortieren",
        "Was kostet das?",
        "Erkläre mir die Relativitätstheorie",
    ],
    "fr": [
        "Raconte-moi une blague sur les chats",
        "Comment cuire un œuf ?",
        "Un contrat verbal est-il valable ?",
        "Écris une fonction Python",
        "Quelle heure est-il ?",
        "Explique la photosynthèse",
    ],
    "es": [
        "Cuéntame un chiste de gatos",
        "¿Cómo cocino un huevo?",
        "¿Es válido un contrato verbal?",
        "Escribe una función en Python",
        "¿Qué hora es?",
        "Explica la fotosíntesis",
    ],
    "it": [
        "Raccontami una barzelletta sui gatti",
        "Come si cuoce un uovo?",
        "Un contratto verbale è valido?",
        "Scrivi una funzione Python",
        "Che ore sono?",
        "Spiegami la fotosintesi",
    ],
    "pt": [
        "Conte-me uma piada sobre gatos",
        "Como cozinhar um ovo?",
        "Um contrato verbal é válido?",
        "Escreva uma função em Python",
        "Que horas são?",
        "Explique a fotossíntese",
    ],
    "nl": [
        "Vertel me een grap over katten",
        "Hoe kook ik een ei?",
        "Is een mondeling contract geldig?",
        "Schrijf een Python-functie",
        "Hoe laat is het?",
        "Leg fotosynthese uit",
    ],
    "pl": [
        "Opowiedz mi dowcip o kotach",
        "Jak ugotować jajko?",
        "Czy umowa ustna jest ważna?",
        "Napisz funkcję w Pythonie",
        "Która jest godzina?",
    ],
    "tr": [
        "Bana kediler hakkında bir fıkra anlat",
        "Yumurta nasıl haşlanır?",
        "Sözlü sözleşme geçerli mi?",
        "Saat kaç?",
    ],
    "ru": [
        "Расскажи анекдот про кошек",
        "Как сварить яйцо?",
        "Действителен ли устный договор?",
        "Напиши функцию на Python",
        "Который час?",
    ],
    "uk": ["Розкажи анекдот про котів", "Як зварити яйце?", "Напиши функцію на Python", "Чи дійсний усний договір?"],
    "zh": [
        "给我讲个关于猫的笑话",
        "今天天气怎么样?",
        "口头合同有效吗?",
        "用Python写一个反转链表的函数",
        "帮我解这道微积分题:求 x^2·sin(x) 的导数",
        "你好",
        "紧急",
        "請用繁體中文回答",
    ],
    "ja": [
        "猫についての冗談を言って",
        "卵のゆで方は?",
        "口頭契約は有効ですか",
        "Pythonで関数を書いて",
        "今何時ですか?",
        "こんにちは",
    ],
    "ko": [
        "고양이에 대한 농담 해줘",
        "계란 어떻게 삶아?",
        "구두 계약은 유효한가요?",
        "파이썬 함수를 작성해줘",
        "안녕하세요",
    ],
    "ar": ["احكي لي نكتة عن القطط", "كيف أسلق بيضة؟", "هل العقد الشفهي ملزم؟", "اكتب دالة بلغة بايثون"],
    "fa": ["یک جوک درباره گربه\u200cها بگو", "چگونه تخم مرغ بپزم؟", "یک تابع پایتون بنویس"],
    "hi": ["मुझे बिल्लियों पर एक चुटकुला सुनाओ", "अंडा कैसे उबालें?", "क्या मौखिक अनुबंध मान्य है?"],
    "th": ["เล่าเรื่องตลกเกี่ยวกับแมวให้ฟังหน่อย", "ต้มไข่ยังไง", "สวัสดี"],
    "vi": ["Kể cho tôi một câu chuyện cười về mèo", "Luộc trứng thế nào?", "Hợp đồng miệng có hiệu lực không?"],
    "el": ["Πες μου ένα ανέκδοτο για γάτες", "Τι ώρα είναι;"],
    "he": ["ספר לי בדיחה על חתולים", "מה השעה?"],
    "id": ["Ceritakan lelucon tentang kucing", "Bagaimana cara merebus telur?", "Jam berapa sekarang?"],
    "sv": ["Berätta ett skämt om katter", "Hur kokar jag ett ägg?", "Är ett muntligt avtal giltigt?"],
}

NO_LANGUAGE = [
    "12345",
    "x^2 + y^2 = z^2",
    "https://example.com/a/b?c=d",
    "3.14159 * 2",
    "",
    "   ",
    "!!!???",
    "😀😀😀",
    "\\int_0^1 x^2 dx",
    "def f(x):\n    return x+1",
    "for (int i=0;i<n;i++) { a[i]=b[i]; }",
    "SELECT * FROM t WHERE id = 3;",
    '{"a": [1,2,3]}',
    '<div class="x"></div>',
    "a",
    "ok",
    "192.168.0.1",
    "foo@bar.com",
    "0xdeadbeef",
    "if (a && b) { return NULL; }",
    "2+2=?",
    "$ ls -la /tmp",
    "git commit -m 'x'",
    "f(x)=sin(x)",
    "550e8400-e29b-41d4-a716-446655440000",
]


@pytest.fixture(scope="module")
def signal():
    signal = LanguageSignal(0.5)
    signal.load()
    return signal


async def _name(signal, text):
    result = await signal.measure(Request("chat", "MoM", (), text))
    return next(iter(result.matched), None)


async def test_short_prompts(signal):
    answers = [(code, await _name(signal, text)) for code, texts in PROMPTS.items() for text in texts]
    right = sum(code == answer for code, answer in answers)
    wrong = [pair for pair in answers if pair[1] not in (None, pair[0])]
    assert right / len(answers) >= 0.95
    assert len(wrong) <= 2


@pytest.mark.parametrize("text", NO_LANGUAGE)
async def test_text_without_language(signal, text):
    assert await _name(signal, text) is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("用Python写一个反转链表的函数", "zh"),
        ("请解释 TCP handshake retransmission 机制", "zh"),
        ("Translate 紧急 into English, please", "en"),
        ("Pythonで関数を書いて", "ja"),
        ("Why does `для` not compile?\n```\nfor (auto x : xs) std::cout << x;\n```\nPlease explain the error.", "en"),
        ("Résume cette page : https://example.com/the/quick/brown/fox?jumps=over&the=lazy", "fr"),
        ("求 θ 的值: sin θ = 0.5", "zh"),
        ("ПРИВЕТ, КАК ДЕЛА?", "ru"),
    ],
)
async def test_mixed_text(signal, text, code):
    assert await _name(signal, text) == code


async def test_script_decides_within_a_family(signal):
    result = await signal.measure(Request("chat", "MoM", (), "Скажи мне, который час"))
    assert set(result.scores) <= {"bg", "kk", "mk", "ru", "sr", "uk"}
    assert sum(result.scores.values()) == pytest.approx(1.0)


async def test_a_higher_threshold_leaves_the_doubtful_unnamed():
    mixed = Request("chat", "MoM", (), "Translate 紧急 into English, please")
    assert (await LanguageSignal(0.99).measure(mixed)).matched == frozenset()
    assert (await LanguageSignal(0.5).measure(mixed)).matched == {"en"}


async def test_the_end_of_a_long_text_changes_nothing(signal):
    head = "The quick brown fox jumps over the lazy dog. " * 100
    assert await _name(signal, head + "и так далее " * 10_000) == "en"


async def test_every_answer_is_a_known_name(signal):
    for texts in PROMPTS.values():
        for text in texts:
            result = await signal.measure(Request("chat", "MoM", (), text))
            assert set(result.scores) <= set(LANGUAGES)


@pytest.mark.skipif(not _DATA.is_dir(), reason="the training data is not beside the repository")
async def test_real_prompts(signal):
    total, right = Counter(), Counter()
    with gzip.open(_DATA / "jailbreak_train.jsonl.gz", "rt", encoding="utf-8") as lines:
        rows = [row for row in map(json.loads, lines) if row["lang"] != "mul"]
    for row in [row for row in rows if row["lang"] != "en"] + rows[:500]:
        total[row["lang"]] += 1
        right[row["lang"]] += await _name(signal, row["text"]) == row["lang"]
    assert all(right[code] / total[code] > 0.94 for code in total), (total, right)
