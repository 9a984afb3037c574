"""A Pulumi provider that keeps GitHub's billing budgets as declared in code."""
