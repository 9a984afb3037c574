"""HTTP under one set of rules: retries, pacing, paging, downloads."""
