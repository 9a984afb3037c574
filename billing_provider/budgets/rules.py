"""GitHub's rules for budgets: owners and their scopes, products and their pricing type, required fields."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from billing_provider.core.ids import SLUG

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

from billing_provider.budgets.models import FIELDS
from billing_provider.budgets.skus import BUDGET_TYPES, BUNDLES, LICENSE_SKUS, known_sku, pricing_type
from billing_provider.core.clock import instant
from billing_provider.core.inputs import (
    KEEP,
    ON_DELETE,
    ON_EXISTING,
    ON_RAISE,
    Problem,
    choose,
    did_you_mean,
    login_problem,
)
from billing_provider.core.owners import (
    ENTERPRISE,
    MULTI_USER_CUSTOMER,
    ORGANIZATION,
    OWNER_KINDS,
    PER_USER_SCOPES,
    REPOSITORY,
    USER,
    OwnerKind,
)

_REPOSITORY = re.compile(r"[A-Za-z0-9._-]{1,100}", re.ASCII)
_SKU = re.compile(r"[a-z0-9][a-z0-9_]{0,99}", re.ASCII)


def problems(kind: OwnerKind, fields: Mapping[str, Any], unsure: frozenset[str], now: datetime) -> Iterator[Problem]:
    """Yield every problem in the inputs of one budget.

    Args:
        kind: The owner's kind; it determines the allowed scopes.
        fields: The inputs of valid type, under GitHub's names; an omitted input is missing.
        unsure: Inputs that are not checked: not known yet in a preview, or of a wrong type.
        now: The time to compare `expires_at` with, timezone-aware.
    """
    validator = _Validator(kind, fields, unsure)
    yield from validator.owner()
    yield from validator.amount_and_sku()
    yield from validator.scope()
    yield from validator.hard_stop_and_alerts()
    yield from validator.extras(now)


class _Validator:
    """The rules, each yielding its problems; rules that need an input in `unsure` are skipped."""

    def __init__(self, kind: OwnerKind, fields: Mapping[str, Any], unsure: frozenset[str]) -> None:
        self.kind, self.fields, self.unsure = kind, fields, unsure
        self.scope_known = "budget_scope" not in unsure
        self.scope_value: str = fields.get("budget_scope") or kind.noun

    def _sure(self, *names: str) -> bool:
        return not self.unsure.intersection(names)

    def owner(self) -> Iterator[Problem]:
        noun = self.kind.noun
        if not self._sure(noun):
            return
        slug = self.fields.get(noun)
        if not slug:
            yield Problem(noun, f"write the {noun} that owns the budget")
        elif not SLUG.fullmatch(slug):
            form = "its slug, as in github.com/enterprises/SLUG" if noun == ENTERPRISE else "its login"
            yield Problem(noun, f"write {form}: letters, digits and hyphens")

    def amount_and_sku(self) -> Iterator[Problem]:
        if self._sure("budget_amount") and self.fields.get("budget_amount") is None:
            yield Problem("budget_amount", "write the amount: whole US dollars, or licenses for a license product")
        if not self._sure("budget_product_sku"):
            return
        sku = self.fields.get("budget_product_sku")
        if not sku:
            yield Problem(
                "budget_product_sku", "write the product or SKU, such as actions, ai_credits or actions_linux"
            )
        elif not _SKU.fullmatch(sku):
            yield Problem(
                "budget_product_sku",
                "write GitHub's identifier: lower case, digits and underscores, such as actions_linux",
            )
        else:
            yield from self._type()

    def _type(self) -> Iterator[Problem]:
        given = self.fields.get("budget_type")
        if not self._sure("budget_type") or given is None:
            return
        if given not in BUDGET_TYPES:
            yield Problem("budget_type", choose(given, BUDGET_TYPES))

    def scope(self) -> Iterator[Problem]:
        if not self.scope_known:
            return
        scope, kind = self.scope_value, self.kind
        if scope not in kind.scopes:
            others = [other.resource for other in OWNER_KINDS.values() if scope in other.scopes]
            elsewhere = f"; {scope} budgets are declared with {' and '.join(others)}" if others else ""
            similar = "" if others else did_you_mean(scope, kind.scopes)
            yield Problem("budget_scope", f"{kind.resource} takes one of {', '.join(kind.scopes)}{elsewhere}{similar}")
            return
        yield from self._user(scope)
        if self._sure("budget_entity_name"):
            yield from self._entity(scope, self.fields.get("budget_entity_name") or "")
        if scope in PER_USER_SCOPES and self._sure("budget_product_sku"):
            sku = self.fields.get("budget_product_sku")
            if sku and sku not in BUNDLES:
                yield Problem("budget_product_sku", f"a {scope} budget covers ai_credits only")

    def _user(self, scope: str) -> Iterator[Problem]:
        if not self._sure(USER):
            return
        user = self.fields.get(USER)
        if FIELDS[USER].in_scope(scope):
            if not user:
                yield Problem(USER, "write the user's login: budget_scope is user")
            elif reason := login_problem(user):
                yield Problem(USER, reason)
        elif user:
            yield Problem(USER, f"leave it out: the scope {scope} has no user (or set budget_scope to user)")

    def _entity(self, scope: str, entity: str) -> Iterator[Problem]:
        field = "budget_entity_name"
        owner: str = self.fields.get(self.kind.noun) or ""
        if scope == USER:
            if entity and entity.lower() != (self.fields.get(USER) or entity).lower():
                yield Problem(field, "leave it out: the input user already contains the login")
        elif scope == self.kind.noun or scope in (ENTERPRISE, MULTI_USER_CUSTOMER):
            if entity and owner and entity.lower() != owner.lower():
                yield Problem(field, f"leave it out: the scope {scope} covers the whole {self.kind.noun}")
        elif not entity:
            examples = {
                ORGANIZATION: "the organization's login",
                REPOSITORY: "the repository as owner/name",
            }
            yield Problem(field, f"write {examples.get(scope, 'the cost center: its name or its UUID')}")
        elif scope == ORGANIZATION:
            if not SLUG.fullmatch(entity):
                yield Problem(field, "write the organization's login: letters, digits and hyphens")
        elif scope == REPOSITORY:
            yield from self._repository(entity, owner)

    def _repository(self, entity: str, owner: str) -> Iterator[Problem]:
        first, slash, name = entity.rpartition("/")
        well_formed = _REPOSITORY.fullmatch(name) and (SLUG.fullmatch(first) if slash else self.kind.noun != ENTERPRISE)
        if not well_formed:
            yield Problem("budget_entity_name", "write the repository as owner/name")
        elif slash and owner and self.kind.noun == ORGANIZATION and first.lower() != owner.lower():
            yield Problem("budget_entity_name", "write a repository of the organization that owns the budget")

    def hard_stop_and_alerts(self) -> Iterator[Problem]:
        if not self.scope_known:
            return
        scope = self.scope_value
        if scope in PER_USER_SCOPES and self.fields.get("prevent_further_usage") is False:
            yield Problem(
                "prevent_further_usage", f"write True or leave it out: a {scope} budget is always a hard stop"
            )
        alerting: Mapping[str, Any] | None = self.fields.get("budget_alerting")
        if alerting is None:
            return
        recipients: list[str] = alerting["alert_recipients"]
        if not FIELDS["budget_alerting"].in_scope(scope) and (alerting["will_alert"] or recipients):
            yield Problem("budget_alerting", "leave it out: GitHub sends no alerts for a budget of one user")
        for number, login in enumerate(recipients):
            if reason := login_problem(login):
                yield Problem("budget_alerting", f"alert_recipients.{number}: {reason}")
        if recipients and not alerting["will_alert"]:
            yield Problem("budget_alerting", "set will_alert to True, or leave alert_recipients empty")

    def extras(self, now: datetime) -> Iterator[Problem]:
        for name, choices in (("on_existing", ON_EXISTING), ("on_delete", ON_DELETE), ("on_raise", ON_RAISE)):
            value = self.fields.get(name)
            if value is not None and value not in choices:
                yield Problem(name, choose(value, choices))
        if not self.scope_known:
            return
        if self.fields.get("on_raise") == KEEP and not FIELDS["on_raise"].in_scope(self.scope_value):
            yield Problem("on_raise", "leave it out: GitHub raises only the budget of one user on request")
        expires_at = self.fields.get("expires_at")
        if expires_at is not None:
            if not FIELDS["expires_at"].in_scope(self.scope_value):
                yield Problem("expires_at", "leave it out: only a budget of one user can expire")
            elif instant(expires_at) <= now:
                yield Problem("expires_at", "choose a date in the future: GitHub removes an expired budget")
        has_cost_centers = FIELDS["exclude_cost_center_usage"].in_scope(self.scope_value)
        if self.fields.get("exclude_cost_center_usage") and not has_cost_centers:
            yield Problem("exclude_cost_center_usage", "leave it out: only a budget of the whole enterprise has it")


def warnings(what: str, fields: Mapping[str, Any], *, alerting_given: bool) -> Iterator[str]:
    """Yield warnings about a valid budget: settings that are allowed but probably not intended.

    Args:
        what: The description of the budget; each warning names it, because a preview of differences shows no rows.
        fields: The complete inputs.
        alerting_given: Whether the program sets `budget_alerting`; alerts that it turns off are intended.
    """
    sku, scope = fields["budget_product_sku"], fields["budget_scope"]
    hard, amount = fields["prevent_further_usage"], fields["budget_amount"]
    if sku == "premium_requests":
        yield f"{what} is declared for premium_requests, which GitHub has converted to AI credits: write ai_credits"
    if known_sku(sku) and fields["budget_type"] != pricing_type(sku):
        # GitHub's own example has a type that its reference does not give for the SKU.
        yield f"{what} is declared as {fields['budget_type']}, GitHub's reference prices {sku} as {pricing_type(sku)}"
    if hard and sku in LICENSE_SKUS:
        yield f"{what} can only send alerts: GitHub does not block licenses"
    if hard and amount == 0:
        # Copilot through GHEC and Copilot Standalone include no credits.
        included = "credits that Copilot Business and Enterprise include" if sku in BUNDLES else "included usage"
        yield f"{what} is a hard stop at 0: it blocks all usage immediately, also {included}"
    alerting = fields.get("budget_alerting")
    if scope not in PER_USER_SCOPES and not alerting_given:
        yield f"{what} alerts nobody: set budget_alerting"
    if alerting and alerting["will_alert"] and not alerting["alert_recipients"]:
        yield f"{what} alerts only GitHub's default recipients, the owners and billing managers: add alert_recipients"
