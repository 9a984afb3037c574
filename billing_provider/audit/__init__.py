"""Rules about budgets, each written once: for a live account, for a plan, and for a policy pack."""
