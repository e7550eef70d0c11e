"""The generated messages of ``extproc.proto``; the command that generates them stands in that file."""
