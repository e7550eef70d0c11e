"""Making models: the base encoder, the heads trained on it, and the data they learn from."""
