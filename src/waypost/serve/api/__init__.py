"""The HTTP API: one file a group of endpoints, with its models beside."""
