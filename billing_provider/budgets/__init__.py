"""Budgets: models, rules, endpoints, lifecycle, queries."""
