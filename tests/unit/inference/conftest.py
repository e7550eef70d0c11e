from collections.abc import Callable

import numpy as np
import pytest

from waypost.inference.architecture import Architecture, State


@pytest.fixture
def tiny() -> Callable[[int], tuple[Architecture, State]]:
    """A random BERT of a given depth, small enough to build in milliseconds."""

    def make(layers: int) -> tuple[Architecture, State]:
        shape = Architecture(hidden=32, layers=layers, heads=4, feed_forward=64, vocabulary=50, positions=40)
        random = np.random.default_rng(0)

        def normal(*size: int, around: float = 0.0) -> np.ndarray:
            return (around + 0.2 * random.standard_normal(size)).astype(np.float32)

        def norm(name: str) -> State:
            return {f"{name}.weight": normal(shape.hidden, around=1.0), f"{name}.bias": normal(shape.hidden)}

        def linear(name: str, rows: int, columns: int) -> State:
            return {f"{name}.weight": normal(rows, columns), f"{name}.bias": normal(rows)}

        state: State = {
            "embeddings.word_embeddings.weight": normal(shape.vocabulary, shape.hidden),
            "embeddings.position_embeddings.weight": normal(shape.positions, shape.hidden),
            "embeddings.token_type_embeddings.weight": normal(2, shape.hidden),
            **norm("embeddings.LayerNorm"),
        }
        for layer in range(layers):
            where = f"encoder.layer.{layer}"
            for part in ("query", "key", "value"):
                state |= linear(f"{where}.attention.self.{part}", shape.hidden, shape.hidden)
            state |= linear(f"{where}.attention.output.dense", shape.hidden, shape.hidden)
            state |= linear(f"{where}.intermediate.dense", shape.feed_forward, shape.hidden)
            state |= linear(f"{where}.output.dense", shape.hidden, shape.feed_forward)
            state |= norm(f"{where}.attention.output.LayerNorm") | norm(f"{where}.output.LayerNorm")
        return shape, state

    return make
