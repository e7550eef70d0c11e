"""Other readings of a text: what it says once disguises that an encoder does not see through are taken off."""

from __future__ import annotations

from waypost.guard.normalise.pipeline import LIMIT, Normalised, normalise, readings

__all__ = ["LIMIT", "Normalised", "normalise", "readings"]
