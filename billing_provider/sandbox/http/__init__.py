"""Requests and replies of the sandbox: sockets, routes, tokens, limits and planned faults."""
