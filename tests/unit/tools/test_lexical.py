from collections.abc import Callable

import numpy as np
import pytest

from waypost.tools.lexical import Background, LexicalIndex, document, query_terms
from waypost.tools.tool import Tool

COMMON = 100


@pytest.fixture
def background(tool: Callable[..., Tool]) -> Background:
    return Background.of([document(tool(f"thing{n}", "manages data")) for n in range(COMMON)])


def test_rare_words_count_more(tool: Callable[..., Tool], background: Background) -> None:
    index = LexicalIndex([tool("a", "data"), tool("b", "volcano")], background)
    scores = index.scores(query_terms("volcano data"))
    assert scores[1] > 3 * scores[0] > 0


def test_common_words_are_common_in_a_small_set_too(tool: Callable[..., Tool], background: Background) -> None:
    alone = LexicalIndex([tool("a", "manages data")], background).scores(("data",))
    among = LexicalIndex([tool("a", "manages data"), *(tool(f"b{n}", "x") for n in range(50))], background)
    assert among.scores(("data",))[0] == pytest.approx(alone[0], rel=1)


def test_a_name_counts_more_than_a_parameter(background: Background) -> None:
    named = Tool("volcano_report", "x")
    mentions = Tool("report", "x", "volcano")
    assert np.argmax(LexicalIndex([mentions, named], background).scores(("volcano",))) == 1


def test_unknown_words_and_no_tools_are_fine(tool: Callable[..., Tool], background: Background) -> None:
    assert LexicalIndex([tool("a", "b")], background).scores(("zebra",)).tolist() == [0.0]
    assert LexicalIndex([], background).scores(("zebra",)).shape == (0,)


def test_both_ends_of_a_pasted_document_are_read() -> None:
    words = query_terms(f"summarise {'lorem ' * 100_000} volcano")
    assert {"summaris", "volcano"} <= set(words)
    assert len(query_terms(" ".join(f"w{chr(97 + n % 26)}{chr(97 + n // 26)}" for n in range(600)))) <= 256
