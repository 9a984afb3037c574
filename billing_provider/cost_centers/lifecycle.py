"""Check, diff, create, read, update and delete of a cost center on plain dicts, independent of Pulumi."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from billing_provider.core.errors import BillingError, InvalidError, NotFoundError
from billing_provider.core.ids import parse_resource_id, read_slug, resource_id
from billing_provider.core.inputs import Problem, first_problems
from billing_provider.core.owners import ENTERPRISE, ENTERPRISE_OWNER, Owner
from billing_provider.core.resource import SECRET_INPUTS, UNFINISHED, Checked, Stored, read_state
from billing_provider.cost_centers.api import MAX_RESOURCES, CostCentersApi
from billing_provider.cost_centers.cache import CostCenterCache
from billing_provider.cost_centers.caps import CapsAtWrite, NoCaps
from billing_provider.cost_centers.create import CostCenterCreate
from billing_provider.cost_centers.models import (
    DELETED,
    IN_PLACE,
    MEMBER_KINDS,
    as_inputs,
    cost_center_key,
    differing,
    missing_members,
    plain_member,
    same_input,
)
from billing_provider.cost_centers.rules import INPUTS, problems, read_inputs
from billing_provider.cost_centers.states import CostCenterState
from billing_provider.cost_centers.words import moved_line
from billing_provider.runtime.delete_confirmed import delete_confirmed
from billing_provider.runtime.on_delete import KEPT_ON_DELETE, OnDelete
from billing_provider.runtime.registry import name_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from billing_provider.cost_centers.caps import Caps
    from billing_provider.cost_centers.models import CostCenterDetails
    from billing_provider.runtime.run import Run

_Moves = dict[str, dict[str, list[str]]]
"""The members that GitHub moved, by the cost center that they left and by their kind."""


class CostCenterLifecycle:
    """The lifecycle of cost centers.

    A declared list of members is complete for its kind; the members of an omitted kind are not changed.

    Args:
        run: The state shared by the resources of this engine run.
        caps: Makes the caps of an enterprise's cost centers, which a write can lift.
    """

    def __init__(self, run: Run, caps: Callable[[Run, Owner], Caps] = NoCaps) -> None:
        self._run = run
        self._caps = CapsAtWrite(run, caps)
        self._on_delete = OnDelete(run, "cost center")

    def check(self, urn: str, olds: Mapping[str, Any], news: Mapping[str, Any], unknown: frozenset[str]) -> Checked:
        """Validate the inputs of one cost center; nothing is sent.

        Args:
            urn: The URN of the resource, for messages and registry.
            olds: The stored inputs; empty for a new cost center and for the new resource of a replacement.
            news: The inputs from the program, without those not known yet.
            unknown: The names of the inputs not known yet.
        """
        olds = read_state(CostCenterState, olds)
        self._run.registry.check(urn, anew=not olds)
        # An invalid setting is an error of the preview.
        _ = self._run.guards
        inputs, found = read_inputs(news)
        found += problems(inputs, unknown | {problem.field for problem in found})
        if found:
            return Checked({}, first_problems(found))
        if not unknown & {"enterprise", "name"}:
            first = self._run.registry.declare(urn, cost_center_key(inputs["enterprise"], inputs["name"]))
            if first is not None:
                reason = f"{name_of(first)} declares the cost center {inputs['name']} already: remove one of the two"
                return Checked({}, [Problem("", reason)])
        if "enterprise" not in unknown:
            found = first_problems(self._members_of_others(urn, inputs))
            if found:
                return Checked({}, found)
        for name in ("enterprise", *IN_PLACE):
            if name in inputs and name in olds and same_input(name, olds[name], inputs[name]):
                inputs[name] = olds[name]
        return Checked(inputs, [])

    def diff(
        self, urn: str, id_: str, olds: Mapping[str, Any], news: Mapping[str, Any], unknown: frozenset[str]
    ) -> tuple[list[str], list[str]]:
        """Return the inputs that changed in meaning, and those of them that replace the cost center.

        Nothing is sent, except reads for a replacement: it archives the old cost center, and its budgets are told.

        Args:
            urn: The URN of the resource.
            id_: The resource's id.
            olds: The stored outputs, from any version of this package.
            news: The checked inputs, without those not known yet.
            unknown: The names of the inputs not known yet; each counts as different.

        Raises:
            BillingError: The limits refuse the replacement.
        """
        owner, cost_center_id = _parse(id_)
        olds, news = read_state(CostCenterState, olds), read_state(CostCenterState, news)
        different = {*differing(olds, news), *unknown, *(name for name in news if name not in olds)}
        changed = [name for name in ("enterprise", *IN_PLACE) if name in different]
        replaces = [name for name in changed if name == "enterprise"]
        if not replaces and self._run.registry.is_checked(urn):
            self._run.registry.hold(urn, cost_center_id, olds)
        changed += self._on_delete.diff(urn, cost_center_id, olds, news, unknown, replaces)
        if set(replaces) - unknown and self._run.registry.is_checked(urn) and not olds.get(KEPT_ON_DELETE):
            for cap in self._caps.foresee(owner, cost_center_id):
                self._run.reporter.warn(cap.goes(is_done=False))
        return changed, replaces

    def create(self, urn: str, inputs: Mapping[str, Any]) -> Stored:
        """Create or adopt a cost center with its members and return it.

        If some members cannot be added, the cost center is returned with the members that it has, and a warning: its
        id must be stored, and the next `up` adds the rest. An existing cost center that only lacks some declared
        members, for example after an interrupted create, is adopted, and the missing members are added.

        Raises:
            BillingError: As for `CostCenterCreate.run`; or an adopted one could not be updated to the declared inputs.
        """
        owner = _owner(inputs)
        creation = CostCenterCreate(self._run, owner, urn, dict(inputs))
        created = creation.run()
        center = created.item
        kept = self._on_delete.keeps(inputs, adopted=created.adopted)
        self._run.cache(CostCenterCache, owner).forget()
        if created.adopted:
            self._send_differences(owner, center.id, as_inputs(center), inputs)
            changed = f"; changed: {', '.join(created.updated)}" if created.updated else " as it is"
            then = self._on_delete.after_adoption(kept=kept)
            self._run.reporter.warn(f"{creation.what()}: adopted the existing cost center {center.id}{changed}{then}")
            return self.adopted(inputs, center)
        # Nothing may raise from here on: the cost center exists, and only the returned values are stored.
        with self._telling_moves(owner, center.name) as moves:
            added = {
                kind: self._add_possible(owner, center, kind, inputs[kind], moves)
                for kind in MEMBER_KINDS
                if kind in inputs
            }
        stored = _store(owner, inputs, center, {"adopted": False, KEPT_ON_DELETE: kept})
        stored.outputs.update(added)
        if any(missing_members(kind, inputs[kind], names) for kind, names in added.items()):
            stored.outputs[UNFINISHED] = True
        return stored

    def adopted(self, inputs: Mapping[str, Any], center: CostCenterDetails) -> Stored:
        """Return a live cost center as a create that adopts it would store it; nothing is sent.

        Args:
            inputs: The checked inputs, which are equivalent to the cost center.
            center: The cost center as GitHub stores it, with all its members.

        Raises:
            ConfigError: A setting is invalid.
        """
        kept = self._on_delete.keeps(inputs, adopted=True)
        return _store(_owner(inputs), inputs, center, {"adopted": True, KEPT_ON_DELETE: kept})

    def read(self, id_: str, olds: Mapping[str, Any]) -> Stored | None:
        """Return the current cost center, or None if it is archived or provably gone.

        Args:
            id_: The resource's id.
            olds: The stored outputs; without a `cost_center_id` this is the first read, by `.get`.

        Raises:
            NotFoundError: It does not exist, on the first read (404).
            BillingError: It cannot be read; it may still exist.
        """
        owner, cost_center_id = _parse(id_)
        olds = read_state(CostCenterState, olds)
        center = self._read_active(owner, cost_center_id)
        first_time = "cost_center_id" not in olds
        if center is None:
            if first_time:
                action = f"get cost center {cost_center_id} of {owner}"
                raise NotFoundError(action, 404, "it is archived, or the listing does not contain it either")
            return None
        live = {"enterprise": owner.slug, **as_inputs(center)}
        declared = {name: olds[name] for name in INPUTS if name in olds}
        changed = {name: live[name] for name in differing(declared, live)}
        # A destroy runs no program, so the state keeps the names of what no message may show.
        secret = {name: olds[name] for name in (SECRET_INPUTS,) if name in olds}
        inputs = live if first_time else {**declared, **changed, **secret}
        return _store(owner, inputs, center, olds)

    def update(self, id_: str, olds: Mapping[str, Any], news: Mapping[str, Any]) -> Stored:
        """Send the differences: remove members, update name and pool, add members; the update can be repeated safely.

        Only members in the state are removed: a member added outside Pulumi is removed after a refresh only.

        Raises:
            BillingError: GitHub refused the update or did not reply.
        """
        owner, cost_center_id = _parse(id_)
        olds, news = read_state(CostCenterState, olds), read_state(CostCenterState, news)
        kept = self._on_delete.keeps(news, adopted=bool(olds.get("adopted")))
        new_kinds = [kind for kind in MEMBER_KINDS if kind in news and kind not in olds]
        if new_kinds:
            center = self._api.get_cost_center(owner, cost_center_id)
            olds = {**olds, **{kind: center.members(kind) for kind in new_kinds}}
        self._send_differences(owner, cost_center_id, olds, news)
        known = {name: olds[name] for name in ("state", "azure_subscription", "adopted") if name in olds}
        # Members of a kind that is no longer declared are not changed and not stored in the state.
        return Stored(id_, dict(news), news | known | {"cost_center_id": cost_center_id, KEPT_ON_DELETE: kept})

    def delete(self, urn: str, id_: str, olds: Mapping[str, Any]) -> None:
        """Archive a cost center unless it is to be kept or this run still declares it, and warn of the caps that go.

        One that is archived already is a success.

        Args:
            urn: The URN of the resource.
            id_: The resource's id.
            olds: The stored outputs.

        Raises:
            OutcomeError: The limits refuse it, because a hard stop loses its object; nothing was sent.
            BillingError: It could not be archived, or a 404 could not be confirmed by a listing.
        """
        owner, cost_center_id = _parse(id_)
        if self._on_delete.skips(urn, owner, cost_center_id, olds, "goes on grouping usage"):
            return
        is_held = self._run.registry.holder(cost_center_id, urn) is not None
        lost = [] if is_held else self._caps.allow(owner, cost_center_id)
        is_gone = delete_confirmed(
            self._run,
            urn,
            cost_center_id,
            "cost center",
            send=lambda: self._api.delete_cost_center(owner, cost_center_id),
            is_listed=lambda: self._run.cache(CostCenterCache, owner).is_listed(cost_center_id),
        )
        if is_gone:
            self._run.cache(CostCenterCache, owner).forget()
            for cap in lost:
                self._run.reporter.warn(cap.goes(is_done=True))

    @property
    def _api(self) -> CostCentersApi:
        return self._run.api(CostCentersApi)

    def _read_active(self, owner: Owner, cost_center_id: str) -> CostCenterDetails | None:
        """Return an active cost center, or None if it is archived or not listed."""
        try:
            center = self._api.get_cost_center(owner, cost_center_id)
        except (NotFoundError, InvalidError) as error:
            # GitHub's API description lists no 404 for this endpoint, so a 400 may mean the same.
            if self._run.cache(CostCenterCache, owner).is_listed(cost_center_id):
                raise error from None
            return None
        return None if center.state == DELETED else center

    def _send_differences(
        self, owner: Owner, cost_center_id: str, olds: Mapping[str, Any], news: Mapping[str, Any]
    ) -> None:
        """Send the differences, in an order that never combines a pool with members that it does not allow."""
        left = {kind: missing_members(kind, olds[kind], news[kind]) for kind in MEMBER_KINDS if kind in news}
        name = news.get("name", "")
        freed = self._caps.freed(owner, name, cost_center_id, left)
        for kind, members in left.items():
            for names in _batches(members):
                self._run.cache(CostCenterCache, owner).forget()
                self._api.remove_resources(owner, cost_center_id, kind, names)
        for line in freed:
            self._run.reporter.warn(line)
        body = {name: news[name] for name in ("name", "ai_credit_pool_enabled") if name in news}
        if any(name not in olds or not same_input(name, olds[name], value) for name, value in body.items()):
            self._api.update_cost_center(owner, cost_center_id, body)
            self._run.cache(CostCenterCache, owner).forget()
            self._caps.expire(owner)
        with self._telling_moves(owner, name) as moves:
            for kind in MEMBER_KINDS:
                if kind in news:
                    for names in _batches(missing_members(kind, news[kind], olds[kind])):
                        self._add(owner, cost_center_id, kind, names, moves)

    @contextmanager
    def _telling_moves(self, owner: Owner, name: str) -> Iterator[_Moves]:
        """Collect the members that GitHub moves; warn of them in one line a cost center, also after an error."""
        moves: _Moves = {}
        try:
            yield moves
        finally:
            for other, members in moves.items():
                lines = [moved_line("moved", kind, names, other) for kind, names in members.items()]
                for line in (*lines, *self._caps.freed(owner, name, other, members, have_left=True)):
                    self._run.reporter.warn(line)

    def _add(self, owner: Owner, cost_center_id: str, kind: str, names: list[str], moves: _Moves) -> None:
        self._run.cache(CostCenterCache, owner).forget()
        for moved in self._api.add_resources(owner, cost_center_id, kind, names):
            moves.setdefault(moved.cost_center, {}).setdefault(kind, []).append(moved.name)

    def _add_possible(
        self, owner: Owner, center: CostCenterDetails, kind: str, names: list[str], moves: _Moves
    ) -> list[str]:
        """Add members to a new cost center and return those that were certainly added."""
        added: list[str] = []
        for batch in _batches(missing_members(kind, names, ())):
            try:
                self._add(owner, center.id, kind, batch, moves)
            except BillingError as error:
                self._run.reporter.warn(
                    f"the cost center {center.name} of {owner} was created, but not all of its {kind} were added: "
                    f"{error} Run `pulumi up` again to add the others."
                )
                break
            added += batch
        return added

    def _members_of_others(self, urn: str, inputs: Mapping[str, Any]) -> Iterator[Problem]:
        """Yield a problem for each member that another resource of this run declares too.

        A member is in one cost center only, so the two resources would take it from each other in every run.
        """
        for kind in MEMBER_KINDS:
            for member in missing_members(kind, inputs.get(kind, ()), ()):
                key = ("member", inputs["enterprise"].lower(), kind, plain_member(kind, member))
                first = self._run.registry.declare(urn, key)
                if first is not None:
                    # The engine checks resources in any order; sorted names give the same text in each run.
                    both = " and ".join(sorted((name_of(first), name_of(urn))))
                    reason = f"{both} both declare {member}: remove it from one of the two"
                    yield Problem(kind, f"{reason}, because a member is in one cost center only")


def _batches(names: list[str]) -> Iterator[list[str]]:
    for start in range(0, len(names), MAX_RESOURCES):
        yield names[start : start + MAX_RESOURCES]


def _owner(inputs: Mapping[str, Any]) -> Owner:
    return Owner(ENTERPRISE_OWNER, read_slug(ENTERPRISE, inputs.get(ENTERPRISE)))


def _parse(id_: str) -> tuple[Owner, str]:
    slug, cost_center_id = parse_resource_id(ENTERPRISE, "CostCenter", id_)
    return Owner(ENTERPRISE_OWNER, slug), cost_center_id


def _store(owner: Owner, inputs: Mapping[str, Any], center: CostCenterDetails, remembered: Mapping[str, Any]) -> Stored:
    """Return a cost center as stored by the engine; `remembered` contains the values known only from the create."""
    known: dict[str, Any] = {
        "cost_center_id": center.id,
        "state": center.state,
        "adopted": bool(remembered.get("adopted")),
        **{name: remembered[name] for name in (KEPT_ON_DELETE,) if name in remembered},
    }
    if center.azure_subscription is not None:
        known["azure_subscription"] = center.azure_subscription
    return Stored(resource_id(ENTERPRISE, owner.slug, center.id), dict(inputs), {**inputs, **known})
