"""Outputs that a resource cannot have: each Output of the SDK costs futures and tasks, for hundreds of resources."""

from __future__ import annotations

from typing import Any

import pulumi

_CHANGED_ELSEWHERE = ("id", "import_", "ignore_changes", "transformations", "transforms")
"""Options with which the engine knows other inputs of a resource than its declaration has."""


class AbsentOutput(pulumi.Output[None]):
    """What the SDK makes of an output that the engine does not return: None, and unknown in a preview.

    It depends on its resource, and it becomes a real Output when something uses it.

    Args:
        present: An output that the resource always has; it fails, and stays unknown, together with this one.
    """

    def __init__(self, present: pulumi.Output[Any]) -> None:
        vars(self)["_present"] = present

    def __getattr__(self, item: str) -> Any:
        """Become a real Output if what the SDK keeps in one is missing."""
        self._become_real()
        return vars(self)[item] if item in vars(self) else super().__getattr__(item)

    def apply(self, *arguments: Any, **options: Any) -> pulumi.Output[Any]:
        """Return what a function makes of the value; before the SDK holds its lock, this is a real Output."""
        self._become_real()
        return super().apply(*arguments, **options)

    def _become_real(self) -> None:
        present = vars(self).pop("_present", None)
        if present is not None:
            vars(self).update(vars(present.apply(lambda _: pulumi.UNKNOWN if pulumi.runtime.is_dry_run() else None)))


def is_all_declared(opts: pulumi.ResourceOptions | None) -> bool:
    """Return whether a resource has only the inputs that its declaration has."""
    return not any(getattr(opts, name, None) for name in _CHANGED_ELSEWHERE)
