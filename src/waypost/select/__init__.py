"""Model selection: one file an algorithm; then one endpoint of the model."""
