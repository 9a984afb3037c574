"""The stored data of the sandbox: records, names, usage and time; no requests."""
