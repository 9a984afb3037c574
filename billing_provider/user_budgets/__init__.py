"""Tables of users' budgets: thousands of rows in a few resources, each row a budget of its own on GitHub."""
