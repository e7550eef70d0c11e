"""The encoder at run time: loaded once, then shared by every signal that needs to understand text."""
