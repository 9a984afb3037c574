"""The stored state: plain records, an injected clock and reproducible ids; no HTTP."""

from __future__ import annotations

import copy
import json
import uuid
from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime, timezone
from typing import TYPE_CHECKING, Any

from billing_provider.sandbox import names, sample, stored
from billing_provider.storage import files, json_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

__all__ = ["Budget", "CostCenter", "Export", "Spending", "State", "same_name"]

_IDS = uuid.UUID("6f63746f-2d62-5c6c-a1e6-2d73616e6462")


def same_name(one: str, other: str) -> bool:
    """Return whether two logins, slugs or names are equal; GitHub ignores case."""
    return one.casefold() == other.casefold()


@dataclass
class Budget:
    """One stored budget; for cost-center scopes, `budget_entity_name` is the UUID of the cost center."""

    id: str
    owner_kind: str
    owner: str
    budget_scope: str
    budget_entity_name: str
    budget_type: str
    budget_product_sku: str
    budget_amount: int
    prevent_further_usage: bool
    budget_alerting: dict[str, Any]
    user: str | None = None
    expires_at: str | None = None
    exclude_cost_center_usage: bool = False
    created_at: float = 0.0
    hidden_listings: int = 0

    def key(self) -> tuple[str, ...]:
        """Return the identity of the budget: owner, scope, entity, user and SKU."""
        parts = (self.owner_kind, self.owner, self.budget_scope, self.budget_entity_name, self.user or "")
        return (*(part.casefold() for part in parts), self.budget_product_sku)


@dataclass
class CostCenter:
    """One cost center with its members, each a type (User, Org, Repo, Team) and a name."""

    id: str
    name: str
    state: str = "active"
    ai_credit_pool_enabled: bool = False
    resources: list[dict[str, str]] = field(default_factory=list)

    def has_only_people(self) -> bool:
        """Return whether all members are users or enterprise teams."""
        return all(member["type"] in {"User", "Team"} for member in self.resources)


@dataclass
class Export:
    """One export of usage; `looks` counts the reads of its status."""

    id: str
    report_type: str
    start_date: str
    end_date: str
    created_at: float
    actor: str
    looks: int = 0


@dataclass
class Spending:
    """Usage of one SKU on one day that a test has set; its units are cents, or licences."""

    day: str
    organization: str
    repository: str
    user: str
    sku: str
    model: str
    units: int


class State:
    """All stored data of the sandbox; with a file, every change replaces the file."""

    def __init__(
        self,
        clock: Callable[[], float],
        file: Path | None,
        given: Mapping[str, Any],
        seeded: Mapping[str, Any] | None = None,
        on_sight: Callable[[str], None] | None = None,
    ) -> None:
        # Read the clock here, so that an invalid clock fails before the first request.
        clock()
        self.clock = clock
        self.names = names.read(given)
        self.seen = names.NONE
        self.generated_usage = True
        self._on_sight = on_sight
        self._is_named = False
        self.budgets: dict[str, Budget] = {}
        self.cost_centers: dict[str, CostCenter] = {}
        self.exports: dict[str, Export] = {}
        self.spent: list[Spending] = []
        self._made = 0
        self._seeded = copy.deepcopy(seeded)
        self._file = file
        self._saved = None if file is None else files.read(file)
        if self._saved is None:
            self.reset()
            return
        try:
            self._take(json_text.parse(self._saved))
        except ValueError as error:
            raise ValueError(
                f"{file}: {error}; restore a copy of the file, or move it away to start with the sample data"
            ) from None
        for kind, held in self.known.content().items():
            if missing := [name for name in given.get(kind, ()) if name not in held]:
                raise ValueError(
                    f"{file}: its {kind} are {', '.join(held)}, not {', '.join(missing)}; "
                    "omit the names or use another file"
                )

    @property
    def known(self) -> names.Names:
        """All names: the given ones or those of the sample data, and those that were created on sight."""
        return self.names.joined(self.seen)

    def find_name(self, kind: str, name: str) -> str | None:
        """Return the stored form of a name of an `enterprise`, `organization` or `user`, or None if it is unknown.

        If names are created on sight, an unknown one is created, unless GitHub would not accept it. The first one of
        an enterprise or organization replaces the sample data, if no request has named or changed any of it.

        Raises:
            FileError: A new name cannot be saved.
        """
        field = f"{kind}s"
        for held in getattr(self.known, field):
            if same_name(held, name):
                self._is_named = True
                return str(held)
        if self._on_sight is None or not names.may_be_created(name):
            return None
        if kind != "user" and not self._is_named and self._is_sample():
            self.names = names.NONE
            self.cost_centers.clear()
        self.seen = replace(self.seen, **{field: (*getattr(self.seen, field), name)})
        self.save()
        self._on_sight(f"The sandbox has created the {kind} {name}, which it did not know.")
        return name

    def _is_sample(self) -> bool:
        changed = self._made or self.budgets or self.exports
        return not changed and self.names == names.Names() and self.cost_centers == self._sample_cost_centers()

    def reset(self) -> None:
        """Reset to the sample data or to the content of the seed; given names stay, names created on sight do not."""
        self._is_named = False
        self.seen = names.NONE
        if self.names == names.NONE:
            self.names = names.Names()
        if self._seeded is not None:
            self.restore(copy.deepcopy(self._seeded))
            return
        self.budgets.clear()
        self.exports.clear()
        self.spent.clear()
        self.generated_usage = True
        self._made = 0
        self.cost_centers = self._sample_cost_centers()
        self.save()

    def _sample_cost_centers(self) -> dict[str, CostCenter]:
        centers = {}
        for name, members in sample.COST_CENTERS:
            center = CostCenter(str(uuid.uuid5(_IDS, f"cost center {name}")), name)
            replaced = [(kind, self._member(kind, member)) for kind, member in members]
            # The first organization is not a member, so that some usage has no cost center.
            first = [("Org", login) for login in self.names.organizations[:1]]
            kept = [pair for pair in dict.fromkeys(replaced) if pair not in first]
            center.resources = [{"type": kind, "name": member} for kind, member in kept]
            centers[center.id] = center
        return centers

    def _member(self, kind: str, name: str) -> str:
        return self.names.user(name) if kind == "User" else self.names.organization(name)

    def new_id(self) -> str:
        """Return the next id: a UUID that depends only on the number of earlier ids, and on those of a seed."""
        while True:
            self._made += 1
            made = str(uuid.uuid5(_IDS, f"record {self._made}"))
            # A seed from another sandbox has that one's ids.
            if made not in self.budgets and made not in self.cost_centers:
                return made

    def today(self) -> date:
        """Return the current day (UTC) of the sandbox's clock."""
        return datetime.fromtimestamp(self.clock(), timezone.utc).date()

    def remove_expired(self) -> None:
        """Delete the expired budgets, as GitHub does."""
        today = self.today().isoformat()
        expired = [budget.id for budget in self.budgets.values() if budget.expires_at and budget.expires_at <= today]
        for budget_id in expired:
            del self.budgets[budget_id]

    def find_cost_center(self, reference: str) -> CostCenter | None:
        """Return the active cost center with that UUID or that name."""
        for center in self.cost_centers.values():
            if center.state == "active" and (center.id == reference.lower() or same_name(center.name, reference)):
                return center
        return None

    def cost_center_name(self, reference: str) -> str:
        """Return the name of the cost center with that UUID, including archived ones."""
        return self.cost_centers[reference].name

    def save(self) -> None:
        """Write everything to the file, if there is one.

        Raises:
            FileError: It cannot be written; the state is reset to the content of the file.
        """
        if self._file is None:
            return
        text = json.dumps(self.content(), indent=2) + "\n"
        try:
            files.replace(self._file, text)
        except files.FileError:
            if self._saved is not None:
                self._take(json.loads(self._saved))
            raise
        self._saved = text

    def content(self) -> dict[str, Any]:
        """Return everything stored as JSON values."""
        return {
            "version": 1,
            "made": self._made,
            "names": self.names.content(),
            "seen": self.seen.content(),
            "generated_usage": self.generated_usage,
            "budgets": [asdict(budget) for budget in self.budgets.values()],
            "cost_centers": [asdict(center) for center in self.cost_centers.values()],
            "exports": [asdict(export) for export in self.exports.values()],
            "spent": [asdict(spending) for spending in self.spent],
        }

    def restore(self, content: Mapping[str, Any]) -> None:
        """Replace everything with an earlier result of `content`.

        Raises:
            ValueError: The content is invalid; nothing is replaced.
            FileError: The file cannot be written; nothing is replaced.
        """
        self._take(content)
        self.save()

    def _take(self, content: Mapping[str, Any]) -> None:
        stored.check(content)
        self.budgets = {record["id"]: Budget(**record) for record in content["budgets"]}
        self.cost_centers = {record["id"]: CostCenter(**record) for record in content["cost_centers"]}
        # Files of older versions have no exports, and no usage but the generated one.
        self.exports = {record["id"]: Export(**record) for record in content.get("exports", ())}
        self.spent = [Spending(**record) for record in content.get("spent", ())]
        # Files of older versions have no names: theirs are those of the sample data.
        self.names = names.read(content.get("names", {}))
        # Files of older versions have no names that were created on sight.
        self.seen = replace(names.NONE, **names.read_lists(content.get("seen", {})))
        self.generated_usage = content.get("generated_usage", True)
        self._made = content["made"]
