"""GPTCache for ``bench/cache.py``: faiss and SQLite in a directory, its public calls ``put`` and ``get``."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence

from cache_load import ANSWER, Vectors, measure, question
from gptcache import Cache
from gptcache.adapter.api import get, put
from gptcache.manager import CacheBase, VectorBase, get_data_manager
from gptcache.processor.pre import get_prompt
from gptcache.similarity_evaluation import SearchDistanceEvaluation


class GptCache:
    has_exact = False

    def __init__(self, directory: str, most: int) -> None:
        vectors = VectorBase("faiss", dimension=384, index_path=f"{directory}/faiss.index")
        scalars = CacheBase("sqlite", sql_url=f"sqlite:///{directory}/cache.db")
        self._manager = get_data_manager(scalars, vectors, max_size=2 * most)
        self._vector: Vectors = None
        self._cache = Cache()
        self._cache.init(
            pre_embedding_func=get_prompt,
            embedding_func=lambda _, **__: self._vector,
            data_manager=self._manager,
            similarity_evaluation=SearchDistanceEvaluation(),
        )

    async def fill(self, first: int, vectors: Vectors) -> None:
        questions = [question(first + place) for place in range(len(vectors))]
        self._manager.import_data(questions, [ANSWER] * len(vectors), list(vectors), [None] * len(vectors))

    async def store(self, number: int, vector: Vectors) -> None:
        self._vector = vector
        put(question(number), ANSWER, cache_obj=self._cache)

    async def exact(self, number: int) -> bool:
        raise NotImplementedError

    async def similar(self, number: int, vector: Vectors) -> bool:
        self._vector = vector
        return get(question(number), cache_obj=self._cache) is not None


async def main(directory: str, sizes: Sequence[int]) -> None:
    await measure(GptCache(directory, max(sizes)), sizes, None)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], [int(size) for size in sys.argv[3:]]))
