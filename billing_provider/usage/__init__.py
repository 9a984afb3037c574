"""Usage reports, report exports and spend against budgets."""
