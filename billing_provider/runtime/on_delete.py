"""The rule of `on_delete`: whether a delete removes an object from GitHub or keeps it there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from billing_provider.core.inputs import DELETE, KEEP
from billing_provider.core.settings import NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from billing_provider.core.owners import Owner
    from billing_provider.runtime.run import Run

ON_DELETE = "on_delete"
"""The name of the input."""
KEPT_ON_DELETE = "kept_on_delete"
"""The name of the output with the resolved value; states of older versions lack it, and a delete then deletes."""


class OnDelete:
    """The rule for one kind of object.

    The declared input takes precedence over the stack's setting. Without both, an adopted object is kept, and a created
    one is deleted. The result is an output, so a destroy needs neither the program nor the setting.

    Args:
        run: The state shared by the resources of this engine run.
        what: The kind of object, for messages.
    """

    def __init__(self, run: Run, what: str) -> None:
        self._run, self._what = run, what

    def keeps(self, inputs: Mapping[str, Any], *, adopted: bool) -> bool:
        """Return whether a delete is to keep the object.

        Args:
            inputs: The checked inputs.
            adopted: Whether the object existed before the resource.

        Raises:
            ConfigError: A setting is invalid.
        """
        choice = inputs.get(ON_DELETE) or self._run.guards.on_delete
        return choice == KEEP if choice else adopted

    @staticmethod
    def after_adoption(*, kept: bool) -> str:
        """Return the end of the warning of an adoption: what a destroy does."""
        return f"; a destroy keeps it ({ON_DELETE})" if kept else "; a destroy deletes it"

    def diff(  # noqa: PLR0917 - the arguments of a diff
        self,
        urn: str,
        id_: str,
        olds: Mapping[str, Any],
        news: Mapping[str, Any],
        unknown: frozenset[str],
        replaces: Collection[str],
    ) -> list[str]:
        """Return the changed input, or the output if only its value changes; warn of the consequences.

        Nothing changes for a resource that the program has not declared, such as in a refresh.

        Args:
            urn: The URN of the resource.
            id_: GitHub's id.
            olds: The stored outputs, from any version of this package.
            news: The checked inputs, without those not known yet.
            unknown: The names of the inputs not known yet.
            replaces: The changed inputs that replace the object.

        Raises:
            ConfigError: A setting is invalid.
        """
        if not self._run.registry.is_checked(urn):
            return []
        kept = bool(olds.get(KEPT_ON_DELETE))
        if replaces:
            if kept:
                self._run.registry.keep(id_)
                self._run.reporter.warn(f"the old {self._what} {id_} stays on GitHub ({ON_DELETE} is {KEEP})")
            return []
        if ON_DELETE in unknown:
            return [ON_DELETE]
        keeps = self.keeps(news, adopted=bool(olds.get("adopted")))
        if keeps != kept:
            self._run.reporter.warn(
                f"{self._reason(id_, news, olds)}: from the next up on, a destroy {'keeps' if keeps else 'deletes'} it "
                f"({ON_DELETE})"
            )
        if news.get(ON_DELETE) != olds.get(ON_DELETE):
            return [ON_DELETE]
        return [KEPT_ON_DELETE] if keeps != kept else []

    def skips(self, urn: str, owner: Owner, id_: str, olds: Mapping[str, Any], effect: str) -> bool:
        """Return whether a delete keeps the object, with a warning, and no other resource of this run declares it.

        Args:
            urn: The URN of the resource.
            owner: The owner of the object.
            id_: GitHub's id.
            olds: The stored outputs, from any version of this package.
            effect: What the kept object goes on doing.
        """
        is_kept = olds.get(KEPT_ON_DELETE) or self._run.registry.is_kept(id_)
        if not is_kept or self._run.registry.holder(id_, urn) is not None:
            return False
        self._run.registry.keep(id_)
        self._run.reporter.warn(
            f"kept {self._what} {id_} of {owner} on GitHub, where it {effect} ({ON_DELETE} is {KEEP}): delete it "
            f'there, or set {ON_DELETE}="{DELETE}" and run `pulumi up` before the destroy'
        )
        return True

    def _reason(self, id_: str, news: Mapping[str, Any], olds: Mapping[str, Any]) -> str:
        it = f"{self._what} {id_}"
        if declared := news.get(ON_DELETE):
            return f"{ON_DELETE} of {it} is {declared}"
        if default := self._run.guards.on_delete:
            return f"{NAMESPACE}:onDelete is {default} for {it}"
        return f"this stack {'adopted' if olds.get('adopted') else 'created'} {it}"
