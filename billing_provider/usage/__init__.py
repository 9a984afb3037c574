"""Usage reports, report exports, user states, and spend against budgets."""
