"""waypost: a semantic router for Mixture-of-Models inference."""

__all__ = ["__version__"]

__version__ = "0.1.0"
