"""Signals: one file a kind of measured fact."""
