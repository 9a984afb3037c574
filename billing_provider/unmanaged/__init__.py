"""What GitHub and the states of stacks have, compared: found differences, each with the way to repair it."""
