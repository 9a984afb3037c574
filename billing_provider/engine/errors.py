"""Errors of the embedded engine that prevent a run."""

from __future__ import annotations


class EngineError(Exception):
    """The engine cannot run; the message has the reason and what to do."""


class SettingsError(EngineError):
    """The project or stack settings are invalid."""


class StateError(EngineError):
    """A state cannot be read, written or exported, or another run is using it."""
