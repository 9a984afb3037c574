"""What a program writes: resources and functions."""
