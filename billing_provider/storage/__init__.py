"""Private files and bounded JSON, for the sandbox and the engine."""
