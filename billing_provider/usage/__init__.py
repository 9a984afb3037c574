"""Usage: reports, exports and what has been spent."""
