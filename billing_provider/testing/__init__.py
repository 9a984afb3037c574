"""The pytest plugin and the demo, which use both the sandbox and the engine."""
