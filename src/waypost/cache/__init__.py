"""The semantic cache: answers that may serve again, and the reasons why others may not."""
