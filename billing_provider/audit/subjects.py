"""The common value that rules judge: a budget with its terms, from a listing, a plan or a state."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from billing_provider.adopt.inventory import entity_of
from billing_provider.adopt.states import BUCKET_KIND
from billing_provider.budgets import removal
from billing_provider.budgets.consequences import Terms
from billing_provider.budgets.identity import IDENTITY, live_inputs, natural_key
from billing_provider.budgets.skus import canonical_sku
from billing_provider.budgets.states import BudgetState
from billing_provider.core.errors import ConfigError
from billing_provider.core.owners import (
    COST_CENTER_SCOPES,
    ENTERPRISE,
    ORGANIZATION,
    OWNER_KINDS,
    PER_USER_SCOPES,
    REPOSITORY,
    Owner,
)
from billing_provider.core.redact import MASK, clean
from billing_provider.core.resource import read_state, secret_inputs
from billing_provider.user_budgets.states import read_bucket

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from billing_provider.adopt.inventory import Inventory
    from billing_provider.core.owners import OwnerKind

_KINDS = {kind.resource: kind for kind in OWNER_KINDS.values()}
_SHOWN = 300
_NOT_YET = "(not known yet)"


@dataclass(frozen=True)
class Subject:
    """A budget that rules judge.

    Attributes:
        owner: Its owner.
        fields: Its inputs, without those that are secret or not known yet.
        terms: Its terms.
        name: What identifies it: GitHub's id, or the name of the resource.
        names: Everything that names what it covers, in lower case.
        urn: The URN of the resource; empty for a budget of a listing.
    """

    owner: Owner
    fields: Mapping[str, Any]
    terms: Terms
    name: str
    names: frozenset[str] = frozenset()
    urn: str = ""

    @property
    def what(self) -> str:
        """The cap, and what it covers."""
        unknown, secret = self.terms.unknown, self.terms.secret
        shown = {**dict.fromkeys(IDENTITY, ""), **dict.fromkeys(unknown, _NOT_YET)}
        shown |= {name: MASK for name in IDENTITY if name in secret}
        return clean(removal.described(self.owner.kind, {**shown, **self.fields}, unknown), _SHOWN)

    @property
    def scope(self) -> str:
        """The scope; empty if it is not known."""
        return str(self.fields.get("budget_scope") or "")

    @property
    def product(self) -> str:
        """The product or SKU, in its canonical spelling; empty if it is not known."""
        return canonical_sku(self.fields.get("budget_product_sku") or "")

    @property
    def is_per_user(self) -> bool:
        """Whether it limits people, not usage as a whole."""
        return self.scope in PER_USER_SCOPES

    @property
    def covers_owner(self) -> bool:
        """Whether it counts all usage of its owner."""
        return self.scope == self.owner.kind.noun

    def knows(self, *names: str) -> bool:
        """Return whether the values of inputs are known, and may be judged."""
        return not (self.terms.unknown | self.terms.secret) & set(names)

    @classmethod
    def of(cls, kind: OwnerKind, fields: Mapping[str, Any], unknown: frozenset[str], name: str, urn: str) -> Subject:
        """Return a budget of a plan or a state.

        Args:
            kind: The kind of its owner.
            fields: Its inputs or outputs that are known; they name the secret ones.
            unknown: The names of the inputs that are not known yet.
            name: The name of the resource.
            urn: Its URN.

        Raises:
            ConfigError: A value has a wrong type.
        """
        known = read_state(BudgetState, fields)
        hidden = unknown | secret_inputs(known)
        owner = Owner(kind, str(known.get(kind.noun) or (_NOT_YET if kind.noun in unknown else MASK)))
        plain = {each: value for each, value in known.items() if each not in hidden}
        names = {str(plain.get(each) or "").lower() for each in ("budget_entity_name", "github_entity_name", "user")}
        return cls(owner, plain, Terms.of(known, unknown), name, frozenset(names - {""}), urn)


@dataclass(frozen=True)
class Account:
    """The budgets that a place knows.

    Attributes:
        budgets: The budgets.
        owners: The owners whose budgets are all known.
        billed_by: The enterprises that bill organizations, by the login in lower case.
        absent: The alerted logins that do not exist, in lower case; only a live account knows them.
    """

    budgets: tuple[Subject, ...]
    owners: tuple[Owner, ...] = ()
    billed_by: Mapping[str, str] = field(default_factory=dict)
    absent: frozenset[str] = frozenset()

    def of(self, owner: Owner) -> list[Subject]:
        """Return the budgets of one owner."""
        return self._by_owner.get(owner.key, [])

    @cached_property
    def _by_owner(self) -> dict[str, list[Subject]]:
        found: dict[str, list[Subject]] = {}
        for each in self.budgets:
            found.setdefault(each.owner.key, []).append(each)
        return found


def of_resources(found: Iterable[Subject]) -> Account:
    """Return the account of the budgets of a plan or a state, which may not be all budgets of their owners."""
    budgets = tuple(found)
    return Account(budgets, billed_by=_billed_by(budgets))


def of_inventories(inventories: Sequence[Inventory]) -> Account:
    """Return the account of everything that owners have on GitHub."""
    budgets: list[Subject] = []
    billed: dict[str, str] = {}
    for inventory in inventories:
        owner = inventory.owner
        centers = {center.name.lower(): center.id.lower() for center in inventory.active_cost_centers}
        for center in inventory.active_cost_centers:
            billed |= dict.fromkeys((name.lower() for name in center.members("organizations")), owner.slug)
        for budget in inventory.budgets:
            fields = live_inputs(owner, {}, budget, frozenset())
            # A reply can leave out whom a budget alerts.
            unknown = frozenset({"budget_alerting"}) - budget.model_fields_set
            entity = entity_of(owner, budget).lower()
            names = {entity, (budget.user or "").lower(), centers.get(entity, "") if _is_center(fields) else ""}
            terms = Terms.of(fields, unknown)
            budgets.append(Subject(owner, fields, terms, budget.id, frozenset(names - {""})))
    budgets.sort(key=lambda each: (each.owner.key, str(natural_key(each.owner, each.fields)), each.name))
    owners = tuple(inventory.owner for inventory in inventories)
    return Account(tuple(budgets), owners, {**_billed_by(budgets), **billed})


def of_resource(
    resource: str, fields: Mapping[str, Any], unknown: frozenset[str], name: str, urn: str
) -> Iterator[Subject]:
    """Yield the budgets of one resource of a plan or a state: of a part of a table of user budgets, those of its rows.

    Damaged values have none, and neither have other resources.

    Args:
        resource: The name of the kind of resource.
        fields: As for `Subject.of`.
        unknown: As for `Subject.of`.
        name: The name of the resource; the rows of a table add the login.
        urn: The URN of the resource.
    """
    with suppress(ConfigError):
        if (kind := _KINDS.get(resource)) is not None:
            yield Subject.of(kind, fields, unknown, name, urn)
        elif resource == BUCKET_KIND:
            bucket = read_bucket(fields)
            for login in bucket.rows:
                inputs = bucket.declared(login)
                yield Subject.of(bucket.kind, inputs, unknown & {bucket.kind.noun}, f"{name}/{login}", urn)


def _is_center(fields: Mapping[str, Any]) -> bool:
    return fields["budget_scope"] in COST_CENTER_SCOPES


def _billed_by(budgets: Iterable[Subject]) -> dict[str, str]:
    """Return the enterprises whose budgets cover organizations or their repositories: they bill them."""
    found = {}
    for each in budgets:
        if each.owner.kind.noun == ENTERPRISE and each.scope in {ORGANIZATION, REPOSITORY}:
            login = str(each.fields.get("budget_entity_name") or "").partition("/")[0].lower()
            found[login] = each.owner.slug
    return {login: slug for login, slug in found.items() if login}
