"""The command line: one function a verb, each with its arguments, one call and what it prints."""
