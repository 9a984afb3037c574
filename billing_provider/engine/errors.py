"""The errors of the embedded engine that end a run before it begins."""

from __future__ import annotations


class EngineError(Exception):
    """The engine cannot do what it was asked; the message says why and what to do."""


class ConfigError(EngineError):
    """The project or stack settings cannot be used."""


class StateError(EngineError):
    """A state cannot be read, written or taken out."""


class LockedError(EngineError):
    """Another run is using the same state."""
