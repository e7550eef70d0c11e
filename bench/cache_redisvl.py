"""redisvl's SemanticCache for ``bench/cache.py``, on a Redis with RediSearch."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence

import numpy as np
from cache_load import ANSWER, Vectors, measure, question
from redisvl.extensions.cache.llm import SemanticCache
from redisvl.utils.vectorize import CustomVectorizer


class RedisVl:
    has_exact = False

    def __init__(self, url: str) -> None:
        # It is never asked: each call brings its vector. It only says how many dimensions there are.
        vectoriser = CustomVectorizer(embed=lambda *_, **__: [0.0] * 384)
        self._cache = SemanticCache("bench", vectorizer=vectoriser, redis_url=url)

    async def fill(self, first: int, vectors: Vectors) -> None:
        """Write what ``store`` writes, through the index, which takes many at once."""
        rows = [
            {
                "entry_id": str(number),
                "prompt": question(number),
                "response": ANSWER,
                "prompt_vector": np.asarray(vector, np.float32).tobytes(),
                "inserted_at": 0.0,
                "updated_at": 0.0,
            }
            for number, vector in enumerate(vectors, first)
        ]
        self._cache.index.load(rows, id_field="entry_id")

    async def store(self, number: int, vector: Vectors) -> None:
        self._cache.store(question(number), ANSWER, vector=vector.tolist())

    async def exact(self, number: int) -> bool:
        raise NotImplementedError

    async def similar(self, number: int, vector: Vectors) -> bool:
        del number
        return bool(self._cache.check(vector=vector.tolist()))


async def main(url: str, server: int, sizes: Sequence[int]) -> None:
    await measure(RedisVl(url), sizes, server)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), [int(size) for size in sys.argv[3:]]))
