"""One run of the engine: its client, its registry of resources, creating once."""
