"""What each operation of the API does with the stored data; no HTTP."""
