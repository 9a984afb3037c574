"""Cost centers: models, rules, endpoints, lifecycle, queries."""
