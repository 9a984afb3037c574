"""What brings existing objects under code: inventory, export, comparison with states, and seed."""
