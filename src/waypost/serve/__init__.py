"""Everything with a socket, a process or a signal: ExtProc, Envoy, the API, supervision."""
