"""Choice of the tools that a request offers its model."""
