"""What GitHub allows a budget to be: owners and their scopes, products and their pricing type, required fields."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from billing_provider.ids import LOGIN, SLUG
from billing_provider.redact import clean

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ENTERPRISE = "enterprise"
ORGANIZATION = "organization"
REPOSITORY = "repository"
COST_CENTER = "cost_center"
MULTI_USER_CUSTOMER = "multi_user_customer"
MULTI_USER_COST_CENTER = "multi_user_cost_center"
USER = "user"

COST_CENTER_SCOPES = frozenset({COST_CENTER, MULTI_USER_COST_CENTER})
"""Scopes whose entity is a cost center, sent by its UUID and read back by its name."""

PER_USER_SCOPES = frozenset({USER, MULTI_USER_CUSTOMER, MULTI_USER_COST_CENTER})
"""Scopes that cap a person: always a hard stop, always on AI credits."""


@dataclass(frozen=True)
class OwnerKind:
    """A kind of account that owns budgets; everything that differs between the kinds is here.

    Attributes:
        noun: GitHub's noun, the input that names the owner, and the first part of a resource id.
        path: Path prefix of its endpoints.
        resource: Name of the Pulumi resource.
        scopes: Scopes that its create endpoint takes.
    """

    noun: str
    path: str
    resource: str
    scopes: tuple[str, ...]


ENTERPRISE_OWNER = OwnerKind(
    noun=ENTERPRISE,
    path="enterprises",
    resource="EnterpriseBudget",
    scopes=(
        ENTERPRISE,
        ORGANIZATION,
        REPOSITORY,
        COST_CENTER,
        MULTI_USER_CUSTOMER,
        MULTI_USER_COST_CENTER,
        USER,
    ),
)
ORGANIZATION_OWNER = OwnerKind(
    noun=ORGANIZATION,
    path="organizations",
    resource="OrgBudget",
    scopes=(ORGANIZATION, REPOSITORY, MULTI_USER_CUSTOMER, USER),
)
OWNER_KINDS = {kind.noun: kind for kind in (ENTERPRISE_OWNER, ORGANIZATION_OWNER)}

BUNDLE_PRICING = "BundlePricing"
PRODUCT_PRICING = "ProductPricing"
SKU_PRICING = "SkuPricing"
BUDGET_TYPES = (BUNDLE_PRICING, PRODUCT_PRICING, SKU_PRICING)

BUNDLES = frozenset({"ai_credits", "premium_requests"})
PRODUCTS = frozenset({"actions", "packages", "codespaces", "copilot", "ghas", "ghec", "sandbox"})
_LINUX = ["", "_slim", "_arm"] + [f"_{size}" for size in ("2_core_advanced", "2_core_arm", "4_core", "4_core_arm")]
_LINUX += [f"_{size}" for size in ("4_core_gpu", "8_core", "8_core_arm", "16_core", "16_core_arm", "32_core")]
_LINUX += [f"_{size}" for size in ("32_core_arm", "64_core", "64_core_arm", "96_core")]
_WINDOWS = ["", "_arm", "_2_core", "_2_core_advanced", "_2_core_arm", "_4_core", "_4_core_arm", "_4_core_gpu"]
_WINDOWS += ["_8_core", "_8_core_arm", "_16_core", "_32_core", "_32_core_arm", "_64_core", "_64_core_arm"]
LICENCE_SKUS = frozenset({"copilot_enterprise", "copilot_for_business", "copilot_standalone", "ghec_licenses"})
"""SKUs counted in licences whose budget can only alert. The GHAS licences can be a hard stop and are not here."""
SKUS = (
    frozenset({"actions_cache_storage", "actions_custom_image_storage", "actions_storage"})
    | {f"actions_linux{size}" for size in _LINUX}
    | {"actions_macos", "actions_macos_l", "actions_macos_xl"}
    | {f"actions_windows{size}" for size in _WINDOWS}
    | {f"codespaces_compute_d{cores}" for cores in (2, 4, 8, 16, 32)}
    | {"codespaces_storage", "codespaces_prebuild_storage", "copilot_ai_credits"}
    | {"ghas_licenses", "ghas_code_security_licenses", "ghas_secret_protection_licenses"}
    | {"sandbox_linux", "sandbox_memory", "sandbox_snapshot", "git_lfs_bandwidth", "git_lfs_storage"}
    | {"models_inference", "packages_bandwidth", "packages_storage", "spark_ai_credits"}
    | LICENCE_SKUS
)
"""SKUs that GitHub's reference lists. The valid set differs by account, so another one is a warning, never an error."""

_SAME_SKU = {"copilot_ai_credit": "copilot_ai_credits", "premium_requests": "ai_credits"}


def canonical_sku(sku: str) -> str:
    """Return the one spelling under which two names of the same meter are equal.

    Live budgets say `copilot_ai_credit` where the reference says `copilot_ai_credits`, and GitHub turned every
    premium-request budget into an AI-credit budget by itself. The bundle and the single SKU stay apart.
    """
    return _SAME_SKU.get(sku.lower(), sku.lower())


def pricing_type(sku: str) -> str:
    """Return the `budget_type` of a product or SKU; an unlisted name counts as a SKU."""
    if sku in BUNDLES:
        return BUNDLE_PRICING
    return PRODUCT_PRICING if sku in PRODUCTS else SKU_PRICING


def known_sku(sku: str) -> bool:
    """Tell whether GitHub's reference lists this product or SKU, under either spelling."""
    return sku in BUNDLES or sku in PRODUCTS or canonical_sku(sku) in SKUS


@dataclass(frozen=True)
class Problem:
    """One mistake: the input it sits in and what to write instead; both texts are made fit to be shown."""

    field: str
    reason: str

    def __post_init__(self) -> None:
        object.__setattr__(self, "field", clean(self.field, 60))
        object.__setattr__(self, "reason", clean(self.reason))


ADOPT_IF_IDENTICAL = "adopt_if_identical"
ADOPT = "adopt"
ERROR = "error"
ON_EXISTING = (ADOPT_IF_IDENTICAL, ADOPT, ERROR)
"""What a create does about a budget that exists already: take it over if it is as declared, always, or never."""

_REPOSITORY = re.compile(r"[A-Za-z0-9._-]{1,100}", re.ASCII)
_SKU = re.compile(r"[a-z0-9][a-z0-9_]{0,99}", re.ASCII)
_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)


def is_uuid(text: str) -> bool:
    """Tell whether the text has the form of a cost center's UUID (a name may not)."""
    return _UUID.fullmatch(text) is not None


def instant(text: str) -> datetime:
    """Return the moment in UTC that an ISO 8601 date or time names; a date alone is its midnight, no zone is UTC.

    Raises:
        ValueError: The text is neither.
    """
    moment = datetime.fromisoformat(text[:-1] + "+00:00" if text.endswith(("Z", "z")) else text)
    try:
        return moment.astimezone(timezone.utc) if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
    except OverflowError as error:
        raise ValueError(text) from error


def problems(kind: OwnerKind, fields: Mapping[str, Any], unsure: frozenset[str], now: datetime) -> Iterator[Problem]:
    """Yield every mistake of one budget.

    Args:
        kind: The owner's kind; it decides the scopes.
        fields: The inputs with valid types, each under GitHub's name; an input left out is missing here.
        unsure: Inputs that are not judged: unknown yet in a preview, or already found to have a wrong type.
        now: The time to compare `expires_at` with, timezone-aware.
    """
    judge = _Judge(kind, fields, unsure)
    yield from judge.owner()
    yield from judge.amount_and_sku()
    yield from judge.scope()
    yield from judge.hard_stop_and_alerts()
    yield from judge.extras(now)


class _Judge:
    """The rules, each yielding its mistakes; an input in `unsure` silences the rules that need it."""

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
            yield Problem(noun, f"name the {noun} that owns the budget")
        elif not SLUG.fullmatch(slug):
            form = "its slug, as in github.com/enterprises/SLUG" if noun == ENTERPRISE else "its login"
            yield Problem(noun, f"write {form}: letters, digits and hyphens")

    def amount_and_sku(self) -> Iterator[Problem]:
        if self._sure("budget_amount") and self.fields.get("budget_amount") is None:
            yield Problem("budget_amount", "give the amount: whole US dollars, or licences for a licence product")
        if not self._sure("budget_product_sku"):
            return
        sku = self.fields.get("budget_product_sku")
        if not sku:
            yield Problem("budget_product_sku", "name the product or SKU, such as actions, ai_credits or actions_linux")
        elif not _SKU.fullmatch(sku):
            yield Problem(
                "budget_product_sku",
                "write GitHub's identifier: lower case, digits and underscores, such as actions_linux",
            )
        else:
            yield from self._type(sku)

    def _type(self, sku: str) -> Iterator[Problem]:
        given = self.fields.get("budget_type")
        if not self._sure("budget_type") or given is None:
            return
        if given not in BUDGET_TYPES:
            yield Problem("budget_type", f"write one of {', '.join(BUDGET_TYPES)}, or leave it out")
        elif known_sku(sku) and given != pricing_type(sku):
            yield Problem("budget_type", f"{sku} is priced as {pricing_type(sku)}: write that, or leave it out")

    def scope(self) -> Iterator[Problem]:
        if not self.scope_known:
            return
        scope, kind = self.scope_value, self.kind
        if scope not in kind.scopes:
            others = [other.resource for other in OWNER_KINDS.values() if scope in other.scopes]
            elsewhere = f"; {scope} budgets are declared with {' and '.join(others)}" if others else ""
            yield Problem("budget_scope", f"{kind.resource} takes one of {', '.join(kind.scopes)}{elsewhere}")
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
        if scope == USER:
            if not user:
                yield Problem(USER, "name the person: a login, as budget_scope is user")
            elif reason := login_problem(user):
                yield Problem(USER, reason)
        elif user:
            yield Problem(USER, f"leave it out: the scope {scope} has no user (or set budget_scope to user)")

    def _entity(self, scope: str, entity: str) -> Iterator[Problem]:
        field = "budget_entity_name"
        owner: str = self.fields.get(self.kind.noun) or ""
        if scope == USER:
            if entity and entity.lower() != (self.fields.get(USER) or entity).lower():
                yield Problem(field, "leave it out: the input user names the person")
        elif scope == self.kind.noun or scope in (ENTERPRISE, MULTI_USER_CUSTOMER):
            if entity and owner and entity.lower() != owner.lower():
                yield Problem(field, f"leave it out: the scope {scope} covers the whole {self.kind.noun}")
        elif not entity:
            examples = {
                ORGANIZATION: "the organization's login",
                REPOSITORY: "the repository as owner/name",
            }
            yield Problem(field, f"give {examples.get(scope, 'the cost center: its name or its UUID')}")
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
            yield Problem("budget_entity_name", "name a repository of the organization that owns the budget")

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
        if scope == USER and (alerting["will_alert"] or recipients):
            yield Problem("budget_alerting", "leave it out: GitHub sends no alerts for a budget of one user")
        for number, login in enumerate(recipients):
            if reason := login_problem(login):
                yield Problem("budget_alerting", f"alert_recipients.{number}: {reason}")
        if recipients and not alerting["will_alert"]:
            yield Problem("budget_alerting", "set will_alert to True, or leave alert_recipients empty")

    def extras(self, now: datetime) -> Iterator[Problem]:
        if self.fields.get("on_existing") not in (None, *ON_EXISTING):
            yield Problem("on_existing", f"write one of {', '.join(ON_EXISTING)}, or leave it out")
        if not self.scope_known:
            return
        expires_at = self.fields.get("expires_at")
        if expires_at is not None:
            if self.scope_value != USER:
                yield Problem("expires_at", "leave it out: only a budget of one user can expire")
            elif instant(expires_at) <= now:
                yield Problem("expires_at", "choose a time to come: GitHub removes a budget that has expired")
        if self.fields.get("exclude_cost_center_usage") and self.scope_value != ENTERPRISE:
            yield Problem("exclude_cost_center_usage", "leave it out: only a budget of the whole enterprise has it")


def login_problem(login: str) -> str | None:
    """Return what to write instead of a text that is no GitHub login, or None for a login.

    The text is not repeated: it may come from a secret, which a check is given without its mark.
    """
    if LOGIN.fullmatch(login):
        return None
    if login.startswith("@"):
        return "write the login without the @"
    if "@" in login:
        return "this is an e-mail address: write the person's GitHub login"
    return "this is no GitHub login: write letters, digits and hyphens"


def warnings(fields: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is allowed and yet worth a second look, for a budget that has no mistakes."""
    sku, scope = fields["budget_product_sku"], fields["budget_scope"]
    hard, amount = fields["prevent_further_usage"], fields["budget_amount"]
    if not known_sku(sku):
        yield f"GitHub's reference does not list {sku}: if your account has it, all is well"
    if sku == "premium_requests":
        yield "GitHub has turned premium-request budgets into AI-credit budgets: write ai_credits"
    if hard and sku in LICENCE_SKUS:
        yield f"a budget for {sku} only alerts: GitHub does not stop licences"
    if hard and amount == 0:
        yield "a hard stop at 0 blocks at once, included usage too"
    alerting = fields.get("budget_alerting")
    if scope not in PER_USER_SCOPES and not (alerting and alerting["will_alert"]):
        yield "this budget alerts nobody: set budget_alerting"
