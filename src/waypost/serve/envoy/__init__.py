"""Envoy: its configuration, generated from ours, and the child process that runs it."""
