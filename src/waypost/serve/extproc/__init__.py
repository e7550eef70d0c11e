"""Envoy's external processor: its protocol, one stream's session without I/O, and the gRPC server around it."""
