"""``/api/v1/classify``: what the classifiers say of a text, one file a question."""
