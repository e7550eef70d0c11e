"""The guards: what stands in a request and an answer that should not pass, and what is done about it."""
