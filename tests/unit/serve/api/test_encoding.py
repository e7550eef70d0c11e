"""Embeddings, similarity, and what there is to know about the models."""

from __future__ import annotations

import numpy as np
import pytest


async def test_embeddings_have_length_one_and_come_in_order(http):
    told = (await http.post("/api/v1/embeddings", json={"texts": ["a", "bcd"]})).json()
    vectors = np.array([row["embedding"] for row in told["embeddings"]])
    assert np.linalg.norm(vectors, axis=1) == pytest.approx([1, 1])
    assert told["total_count"] == 2
    assert [(row["dimension"], row["tokens"]) for row in told["embeddings"]] == [(4, 1), (4, 1)]


async def test_similarity_is_a_cosine(http):
    same = (await http.post("/api/v1/similarity", json={"text1": "one", "text2": "one"})).json()
    other = (await http.post("/api/v1/similarity", json={"text1": "one", "text2": "two three"})).json()
    assert same["similarity"] == pytest.approx(1)
    assert -1 <= other["similarity"] < 1


async def test_models_inside_the_router(http):
    told = (await http.get("/info/models")).json()
    encoder, *classifiers = told["models"]
    assert (encoder["type"], encoder["loaded"], encoder["bytes"]) == ("encoder", True, 1000)
    assert (encoder["latency_ms"], encoder["metadata"]["sources"][0]["name"]) == (1, "somewhere")
    assert {row["name"]: row["threshold"] for row in classifiers} == {
        "domain": 0.5,
        "jailbreak": 0.6,
        "indirect": 0.6,  # the threshold that decides is that of its classifier, not the head's own
        "pii": 0.5,
    }
    assert {row["name"]: row["categories"] for row in classifiers}["indirect"] == ["direct", "indirect"]
    assert told["system"]["memory_usage"] > 2**20


async def test_models_without_an_encoder(client):
    told = (await client(encoder=lambda: None).get("/info/models")).json()
    assert {(row["name"], row["loaded"]) for row in told["models"]} == {
        ("domain", False),
        ("jailbreak", False),
        ("indirect", False),
        ("pii", False),
    }


async def test_names_that_clients_send(http):
    told = (await http.get("/v1/models")).json()
    assert [model["id"] for model in told["data"]] == ["MoM", "auto", "a", "b"]
    assert {model["object"] for model in told["data"]} == {"model"}


async def test_the_overview_lists_the_endpoints(http):
    told = (await http.get("/api/v1")).json()
    assert {"POST /api/v1/eval", "PUT /config/router", "GET /health"} <= set(told["endpoints"])


class TestSecrets:
    @pytest.fixture
    def path(self, write_config, monkeypatch):
        model = {"endpoints": [{"url": "http://${BACKEND:-127.0.0.1}:1"}], "api_key_env": "KEY"}
        return write_config("a", models={"a": model}, routing={"default_model": "a"})

    @pytest.fixture
    def environ(self):
        return {"BACKEND": "hidden.example", "KEY": "sk-secret"}

    @pytest.mark.parametrize("where", ["/info/classifier", "/config/router"])
    async def test_are_shown_as_they_are_written(self, http, where):
        text = (await http.get(where)).text
        assert "${BACKEND:-127.0.0.1}" in text
        assert '"api_key_env":"KEY"' in text
        assert "hidden.example" not in text
        assert "sk-secret" not in text
