"""What a plan does to budgets and cost centers, for the reviewer of a pull request; nothing is sent."""
