"""What stands on the sandbox and the engine together: the pytest plugin and the demo."""
