"""Plan the steps for a declared resource: none, update, replace or create."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn

from billing_provider.engine import paths, urns, wire
from billing_provider.engine.events import Step
from billing_provider.engine.run import ReportedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from billing_provider.engine.providers import Provider
    from billing_provider.engine.run import EngineRun
    from billing_provider.engine.state import Resource


@dataclass
class Goal:
    """A resource as the program declares it.

    Attributes:
        new: The resource as state will store it; a check changes its inputs.
        aliases: URNs that it had in earlier runs.
        delete_before_replace: Whether a replacement deletes it first; None if the provider decides.
        version: The version of its package.
        inputs: Its inputs as declared.
    """

    new: Resource
    aliases: list[str] = field(default_factory=list)
    delete_before_replace: bool | None = None
    version: str = ""
    inputs: wire.Values = field(init=False)

    def __post_init__(self) -> None:
        self.inputs = self.new.inputs

    @property
    def urn(self) -> str:
        """The URN of the resource."""
        return self.new.urn


@dataclass(frozen=True)
class PlannedChange:
    """The differences between an old resource and the declared one."""

    changed: bool
    replaces: tuple[str, ...] = ()
    differences: tuple[paths.Difference, ...] = ()
    delete_before_replace: bool = False


class Planner:
    """Plans the steps for one declared resource at a time; not safe to share between threads."""

    def __init__(self, run: EngineRun) -> None:
        self._run = run

    def plan(self, goal: Goal) -> list[Step]:
        """Return the steps that bring a resource to its declared state, in order.

        Raises:
            ReportedError: The declaration is invalid.
            PluginError: The provider's check or diff failed.
        """
        old, new = self._claim(goal), goal.new
        self._run.news[new.urn] = new
        if new.external:
            return self._reading(old, new)
        if not new.custom:
            return [_component_step(old, new)]
        provider = self._run.provider_of(new.type)
        if old is None or old.external or new.urn in self._run.deleted:
            self._check(provider, goal, {}, goal.inputs)
            return self._creation(old, new)
        self._check(provider, goal, old.inputs, reset_ignored(new.ignore_changes, old.inputs, goal.inputs))
        if new.deleted_with in self._run.replaced:
            change = PlannedChange(changed=True, replaces=("deletedWith",))
        else:
            change = compare(provider, old, new.inputs, new)
        if (change.changed and change.replaces) or old.pending_replacement:
            return self._replacement(provider, goal, old, change)
        if change.changed:
            return [Step("update", new.urn, old, new, change.differences)]
        return [Step("same", new.urn, old, new)]

    def _claim(self, goal: Goal) -> Resource | None:
        """Return the last run's resource with this URN or an alias, and reserve both.

        This comes first, so that a duplicate name fails before anything is changed.
        """
        run = self._run
        if goal.urn in run.claimed:
            self._invalid(goal, f"Duplicate resource URN '{goal.urn}'; try giving it a unique name")
        if goal.urn in run.aliased:
            taken = run.aliased[goal.urn]
            self._invalid(
                goal, f"Duplicate resource URN '{goal.urn}' conflicting with alias on resource with URN '{taken}'"
            )
        run.claimed.add(goal.urn)
        if goal.urn in run.olds:
            return run.olds[goal.urn]
        for alias in [*goal.aliases, *self._inherited_aliases(goal)]:
            if alias in run.olds:
                return self._take_over(goal, alias)
        return None

    def _inherited_aliases(self, goal: Goal) -> list[str]:
        """Return the URNs that the resource had under the former name of its parent.

        If its name starts with the parent's name, the former name starts with the parent's former name.
        """
        former = next((old for old, new in self._run.aliased.items() if new == goal.new.parent), None)
        if former is None:
            return []
        parent = urns.name_of(goal.new.parent)
        found = []
        for urn in (goal.urn, *goal.aliases):
            name = urns.name_of(urn)
            if name.startswith(parent):
                name = urns.name_of(former) + name.removeprefix(parent)
            found.append(urns.build(self._run.stack, self._run.project, former, urns.type_of(urn), name))
        return found

    def _take_over(self, goal: Goal, alias: str) -> Resource:
        run = self._run
        taken = run.aliased.get(alias, goal.urn if alias in run.claimed else None)
        if taken is not None:
            self._invalid(
                goal,
                f"Duplicate resource alias '{alias}' applied to resource with URN '{goal.urn}' "
                f"conflicting with resource with URN '{taken}'",
            )
        run.aliased[alias] = goal.urn
        run.snapshot.rename(alias, goal.urn)
        return run.olds[alias]

    def _invalid(self, goal: Goal, message: str) -> NoReturn:
        self._run.events.log("error", message, goal.urn)
        raise ReportedError(message)

    def _check(self, provider: Provider, goal: Goal, olds: wire.Values, news: wire.Values) -> None:
        inputs, failures = provider.check(goal.urn, olds, news)
        for failure in failures:
            about = f"{goal.new.type} resource '{urns.name_of(goal.urn)}'"
            if failure.property:
                shown = show_briefly(inputs.get(failure.property))
                about = f"{about}: property {failure.property} value {shown}"
            self._run.events.log("error", f"{about} has a problem: {failure.reason}", goal.urn)
        if failures:
            raise ReportedError(goal.urn)
        goal.new.inputs = inputs

    def _reading(self, old: Resource | None, new: Resource) -> list[Step]:
        read = Step("read", new.urn, old, new)
        if old is None or old.external or old.id == new.id:
            return [read]
        # A managed resource with another id had this name, so it is deleted at the end.
        self._run.replaced.add(new.urn)
        return [read, Step("replace", new.urn, old, new)]

    def _creation(self, old: Resource | None, new: Resource) -> list[Step]:
        if old is None:
            return [Step("create", new.urn, None, new)]
        self._run.replaced.add(new.urn)
        made, replaced = (Step(op, new.urn, old, new) for op in ("create-replacement", "replace"))
        if old.external:
            # The old resource was only read, so it is left alone and a new one is created.
            return [made, replaced]
        # It was deleted before a resource that it depends on, and is still declared.
        self._run.deleted.discard(new.urn)
        return [replaced, made]

    def _replacement(self, provider: Provider, goal: Goal, old: Resource, change: PlannedChange) -> list[Step]:
        run, new = self._run, goal.new
        if new.protect and old.protect:
            self._invalid(
                goal, f'unable to replace resource "{goal.urn}": it is protected, and a replacement deletes it'
            )
        run.replaced.add(goal.urn)
        # The first check used the old inputs; a new resource has none.
        self._check(provider, goal, {}, goal.inputs)
        made = Step("create-replacement", goal.urn, old, new, change.differences, change.replaces)
        replaced = Step("replace", goal.urn, old, new, change.differences, change.replaces)
        deletes_first = (
            change.delete_before_replace if goal.delete_before_replace is None else goal.delete_before_replace
        )
        if not deletes_first:
            return [made, replaced]
        steps = [self._delete_dependent(dependent, goal) for dependent in reversed(self._dependents_to_replace(old))]
        if not old.pending_replacement:
            run.deleted.add(old.urn)
            run.gone.add(id(old))
            steps.append(Step("delete-replaced", old.urn, old, new))
        return [*steps, replaced, made]

    def _delete_dependent(self, dependent: Resource, goal: Goal) -> Step:
        run = self._run
        if dependent.protect and not dependent.delete:
            message = f'unable to replace resource "{dependent.urn}" as part of replacing "{goal.urn}": it is protected'
            self._invalid(goal, message)
        run.deleted.add(dependent.urn)
        run.gone.add(id(dependent))
        # A resource with a replacement stays in state until that exists; one that waits for deletion has none.
        return Step("delete-replaced", dependent.urn, dependent, None if dependent.delete else dependent)

    def _dependents_to_replace(self, root: Resource) -> list[Resource]:
        """Return the resources that must be deleted before `root`, in order of dependency.

        These are the dependents that their provider would replace if values from a deleted resource changed.
        """
        run = self._run
        deleted, reached, found = {root.urn}, {root.urn}, []
        # Resources that are already registered cannot depend on the one that is registered now.
        settled = run.news.keys() - {root.urn}
        following = run.before[next(at for at, entry in enumerate(run.before) if entry is root) + 1 :]
        for candidate in following:
            depends = (candidate.references() - {candidate.parent}) & reached
            if candidate.urn in settled or id(candidate) in run.gone or not depends:
                continue
            reached.add(candidate.urn)
            if self._would_be_replaced(candidate, deleted):
                deleted.add(candidate.urn)
                found.append(candidate)
        return found

    def _would_be_replaced(self, candidate: Resource, deleted: set[str]) -> bool:
        if not candidate.custom or candidate.external:
            return False
        if candidate.deleted_with in deleted:
            return True
        unclear = {key for key, listed in candidate.property_dependencies.items() if deleted & set(listed)}
        if not unclear & candidate.inputs.keys():
            return False
        inputs = {key: wire.UNKNOWN if key in unclear else value for key, value in candidate.inputs.items()}
        change = compare(self._run.provider_of(candidate.type), candidate, inputs, candidate)
        return change.changed and bool(change.replaces)


def compare(provider: Provider, old: Resource, inputs: wire.Values, options: Resource) -> PlannedChange:
    """Return the provider's diff, or compare the inputs if the provider has none.

    Args:
        provider: The resource's provider.
        old: The resource as it was.
        inputs: The new inputs.
        options: The resource whose `ignore_changes` and `replace_on_changes` apply: the declared or the old one.
    """
    answer = provider.diff(old, inputs, options.ignore_changes)
    found = tuple(paths.differences(old.inputs, reset_ignored(options.ignore_changes, old.inputs, inputs)))
    if answer.changes is not None:
        replaces = answer.replaces if answer.changes else ()
        return PlannedChange(answer.changes, replaces, found, answer.delete_before_replace)
    # A plugin may report a change without properties, so `replace_on_changes` is applied here.
    replacing = [paths.parse(text) for text in options.replace_on_changes]
    changed = dict.fromkeys(str(difference.path[0]) for difference in found)
    asked = [key for key in changed if any(paths.contains(path, (key,)) for path in replacing)]
    replaces = tuple(dict.fromkeys([*answer.replaces, *asked])) if found else ()
    return PlannedChange(bool(found), replaces, found, answer.delete_before_replace)


def reset_ignored(ignored: Sequence[str], olds: wire.Values, news: wire.Values) -> wire.Values:
    """Return the new inputs with ignored properties reset to their old values."""
    for text in ignored:
        news = paths.reset(paths.parse(text), olds, news)
    return news


def show_briefly(value: object) -> str:
    """Return a value for an error message; a value that contains a secret is not shown."""
    if wire.has_secret(value):
        return "{[secret]}"
    if value is None:
        return "{<nil>}"
    return f"{{{value if isinstance(value, str) else wire.render(value)}}}"


def _component_step(old: Resource | None, new: Resource) -> Step:
    if old is None:
        return Step("create", new.urn, None, new)
    found = tuple(paths.differences(old.inputs, new.inputs))
    return Step("update" if found else "same", new.urn, old, new, found)
