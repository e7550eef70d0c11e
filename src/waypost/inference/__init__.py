"""The encoder at run time: prepared once, then shared by every signal that needs to understand text."""
