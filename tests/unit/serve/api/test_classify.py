"""What the classifiers say: every field means what its name says."""

from __future__ import annotations

import pytest

from waypost.errors import Overloaded

INTENT, PII, SECURITY = (f"/api/v1/classify/{name}" for name in ("intent", "pii", "security"))
COMBINED, BATCH = "/api/v1/classify/combined", "/api/v1/classify/batch"


async def asked(http, path, **body):
    answer = await http.post(path, json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_intent_is_the_subject_and_the_real_decision(http):
    told = await asked(http, INTENT, text="@b some math", options={"include_explanation": True})
    assert told["classification"].items() >= {"category": "math", "matched": True, "threshold": 0.5}.items()
    assert told["classification"]["confidence"] == pytest.approx(0.8)
    assert (told["recommended_model"], told["routing_decision"]) == ("b", "to-b")
    assert told["explanation"] == ["keyword b"]
    assert told["probabilities"] is None


async def test_intent_without_a_decision_names_the_default_model(http):
    told = await asked(http, INTENT, text="math", options={"return_probabilities": True, "confidence_threshold": 0.9})
    assert (told["recommended_model"], told["routing_decision"]) == ("a", "")
    assert not told["classification"]["matched"]
    assert told["probabilities"] == pytest.approx({"law": 0, "math": 0.8, "other": 0.2})


async def test_pii_has_places_and_masks(http):
    text = "Bob wrote to Alice, bob@example.com; Bob said no"
    options = {"return_positions": True, "mask_entities": True}
    told = await asked(http, PII, text=text, options=options)
    found = [(text[e["start_position"] : e["end_position"]], e["type"], e["masked_value"]) for e in told["entities"]]
    assert found == [
        ("Bob", "PERSON", "<PERSON_1>"),
        ("Alice", "PERSON", "<PERSON_2>"),
        ("bob@example.com", "EMAIL_ADDRESS", "<EMAIL_ADDRESS_1>"),
        ("Bob", "PERSON", "<PERSON_1>"),
    ]
    assert told["masked_text"] == "<PERSON_1> wrote to <PERSON_2>, <EMAIL_ADDRESS_1>; <PERSON_1> said no"
    assert (told["has_pii"], told["security_recommendation"]) == (True, "block")


@pytest.mark.parametrize(
    ("options", "entity"),
    [
        ({}, {"value": "[DETECTED]", "start_position": None, "end_position": None, "masked_value": None}),
        ({"reveal_entity_text": True}, {"value": "Alice", "type": "PERSON", "recogniser": "classifier"}),
    ],
)
async def test_pii_tells_only_what_was_asked_for(http, options, entity):
    told = await asked(http, PII, text="Hello Alice", options=options)
    (found,) = told["entities"]
    assert found.items() >= entity.items()
    assert told["masked_text"] is None


@pytest.mark.parametrize(
    ("text", "options"),
    [("Alice", {"entity_types": ["EMAIL_ADDRESS"]}), ("Alice", {"confidence_threshold": 0.99}), ("nobody", {})],
)
async def test_no_pii(http, text, options):
    told = await asked(http, PII, text=text, options=options)
    assert (told["has_pii"], told["entities"], told["security_recommendation"]) == (False, [], "allow")


async def test_a_harmless_text_has_no_risk(http):
    """Not the probability of the likeliest label, which for a harmless text is near 1."""
    told = await asked(http, SECURITY, text="what a nice day", options={"include_reasoning": True})
    assert (told["is_jailbreak"], told["risk_score"], told["confidence"]) == (False, 0, 1)
    assert (told["recommendation"], told["detection_types"], told["patterns_detected"]) == ("allow", [], [])
    assert told["reasoning"] == "the most probable kind of attack has 0.00, less than 0.60"


@pytest.mark.parametrize(
    ("text", "options", "found", "risk"),
    [
        ("ignore all", {}, ["jailbreak"], 0.97),
        ("a bomb", {}, [], 0.1 * 0),
        ("a bomb", {"detection_types": ["harmful", "harmful"]}, ["harmful"], 0.95),
        ("ignore the bomb", {"detection_types": ["jailbreak", "harmful"]}, ["jailbreak", "harmful"], 0.97),
    ],
)
async def test_risk_is_the_probability_of_what_counts(http, text, options, found, risk):
    told = await asked(http, SECURITY, text=text, options=options)
    assert told["detection_types"] == found
    assert told["risk_score"] == pytest.approx(risk)
    assert told["recommendation"] == ("block" if found else "allow")


@pytest.mark.parametrize(("sensitivity", "threshold"), [("low", 0.8), ("medium", 0.6), ("high", 0.3)])
async def test_sensitivity_moves_the_threshold(http, sensitivity, threshold):
    told = await asked(http, SECURITY, text="ignore", options={"sensitivity": sensitivity})
    assert told["threshold"] == pytest.approx(threshold)


async def test_combined_answers_all_three(http):
    told = await asked(http, COMBINED, text="Alice, ignore the law", options={"pii": {"mask_entities": True}})
    assert told["intent"]["classification"]["category"] == "law"
    assert told["pii"]["masked_text"] == "<PERSON_1>, ignore the law"
    assert told["security"]["is_jailbreak"]


@pytest.mark.parametrize(
    ("task", "categories", "low"),
    [
        ("intent", {"math": 1, "law": 1, "other": 1}, 0),
        ("pii", {"PERSON": 1, "none": 2}, 0),
        ("security", {"jailbreak": 1, "benign": 2}, 0),
        ("all", {"math": 1, "law": 1, "other": 1}, 0),
    ],
)
async def test_batch(http, task, categories, low):
    told = await asked(http, BATCH, texts=["math", "ignore the law", "Alice"], task_type=task)
    assert told["total_count"] == len(told["results"]) == 3
    assert told["statistics"]["category_distribution"] == categories
    assert told["statistics"]["low_confidence_count"] == low
    given = {name for name in ("intent", "pii", "security") if told["results"][0][name] is not None}
    assert given == ({"intent", "pii", "security"} if task == "all" else {task})


async def test_a_batch_reads_one_text_at_a_time(http, encoder):
    await asked(http, BATCH, texts=["one", "two", "three"])
    assert encoder.read == ["one", "two", "three"]


@pytest.mark.parametrize("where", [INTENT, PII, SECURITY, COMBINED])
async def test_an_encoder_that_gives_no_answer_is_no_verdict(http, encoder, where):
    encoder.failure = Overloaded("128 texts are waiting already")
    answer = await http.post(where, json={"text": "Alice"})
    assert answer.status_code == 503
    assert answer.json()["error"]["code"] == "no_inference"
    assert "128 texts are waiting already" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("where", "code"),
    [(INTENT, "classifier_not_loaded"), (PII, "encoder_not_loaded"), (SECURITY, "encoder_not_loaded")],
)
async def test_without_an_encoder(client, where, code):
    answer = await client(encoder=lambda: None).post(where, json={"text": "Alice"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (503, code)


@pytest.mark.parametrize("text", ["", " \n\t", "\x00", "\u200b", 7, None])
async def test_no_text_is_refused(http, text):
    answer = await http.post(INTENT, json={"text": text})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "text")
