"""Run a Pulumi program with Pulumi's mocks, and return its resources and exports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pulumi
from pulumi.runtime import Mocks, set_mocks
from pulumi.runtime import settings as pulumi_settings

if TYPE_CHECKING:
    from collections.abc import Callable

    from pulumi.runtime import MockCallArgs, MockResourceArgs


class Registered(Mocks):
    """The resources of a program; each is created as declared."""

    def __init__(self, answers: dict[str, dict[str, Any]]) -> None:
        self.resources: list[MockResourceArgs] = []
        self.exports: dict[str, Any] = {}
        self._answers = answers

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        """Record a resource; its outputs are its inputs and the answers."""
        self.resources.append(args)
        return args.resource_id or f"{args.name}-id", {**args.inputs, **self._answers.get(args.name, {})}

    def call(self, args: MockCallArgs) -> tuple[dict[Any, Any], list[tuple[str, str]] | None]:
        """Refuse functions of other providers; no program here calls one."""
        raise AssertionError(args.token)

    def named(self, name: str) -> MockResourceArgs:
        """Return the one resource of that name."""
        (found,) = [resource for resource in self.resources if resource.name == name]
        return found


def run(
    program: Callable[[], dict[str, Any] | None],
    *,
    answers: dict[str, dict[str, Any]] | None = None,
    config: dict[str, str] | None = None,
    preview: bool = False,
    project: str = "p",
) -> Registered:
    """Run a program and return what it registered; wait for its result and exports.

    Args:
        program: The program.
        answers: Outputs by name of resource, besides its inputs.
        config: The stack's configuration.
        preview: Whether this is a preview, in which Outputs can be unknown.
        project: The name of the project.
    """
    registered = Registered(answers or {})
    # The stack of the program before, with its exports, would be this one's too.
    pulumi.runtime.settings.ROOT.set(None)
    set_mocks(registered, project=project, stack="s", preview=preview)
    pulumi.runtime.set_all_config(config or {})

    @pulumi.runtime.test  # type: ignore[untyped-decorator]
    def wrapped() -> pulumi.Output[None]:
        returned = program() or {}
        stack: Any = pulumi.runtime.get_root_resource()
        return pulumi.Output.all(**stack.outputs, **returned).apply(registered.exports.update)

    try:
        wrapped()
    finally:
        # What a later test calls outside a program would take itself for a preview too.
        pulumi_settings.SETTINGS.dry_run = False
    return registered
