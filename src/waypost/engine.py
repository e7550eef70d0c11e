"""The pipeline: the only module that knows the order of things.

Sans-IO: ExtProc, the CLI, tests (and later replay) are callers of the same few methods. One :class:`Exchange` is
one HTTP request and its answer::

    exchange = engine.open(head)
    exchange.on_headers()            -> Reply | Forward | None (None: give me the body)
    await exchange.on_body(body)     -> Reply | Forward
    exchange.on_response_start(head) -> ResponseStart
    exchange.on_chunk(data)          -> None      (every piece of the answer's body, if it asked for them)
    exchange.on_end(aborted=False)   -> None      (always, exactly once)
"""
