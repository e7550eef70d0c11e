"""The configuration: one schema, loading with located errors, checks, and what is said about it."""
