"""Shared modules: errors, clock, settings, owners and input types."""
