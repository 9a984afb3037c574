"""The usage that all reports and amounts are computed from: one generated year, or what a test has set."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING
from zlib import crc32

from billing_provider.sandbox.store import skus
from billing_provider.sandbox.store.names import same_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from billing_provider.sandbox.store.names import SandboxNames
    from billing_provider.sandbox.store.records import Spending, StoredCostCenter
    from billing_provider.sandbox.store.state import SandboxState

# Amounts are whole micro-dollars, so that sums do not depend on their order.
MICRO = 1_000_000
LICENSES = "user-months"
_CENTS = 100
_MOST = 10**9
_LICENSES = ("copilot_for_business", "copilot_enterprise", "copilot_standalone")


@dataclass(frozen=True)
class UsageRow:
    """The usage of one SKU by one user or repository on one day, in whole units and micro-dollars."""

    day: date
    organization: str
    repository: str
    user: str
    sku: str
    model: str
    quantity: int
    discount: int
    product: str
    sku_name: str
    unit: str
    price: int

    @property
    def net(self) -> int:
        """The billed units."""
        return self.quantity - self.discount


@dataclass(frozen=True)
class _Habit:
    """What a sample repository, organization or user uses on a working day, in units of the SKU."""

    place: str
    user: str
    sku: str
    model: str
    least: int
    most: int
    included: int


# What reports say of an SKU: the product, the name, the unit and its price.
_ITEMS = {
    "actions_linux": ("Actions", "Actions Linux", "minutes", 6_000),
    "actions_macos": ("Actions", "Actions macOS", "minutes", 62_000),
    "actions_windows": ("Actions", "Actions Windows", "minutes", 10_000),
    "codespaces_compute_d4": ("Codespaces", "Codespaces compute 4-core", "hours", 360_000),
    "copilot_ai_credits": ("Copilot", "Copilot AI Credits", "credits", 10_000),
    "copilot_for_business": ("Copilot", "Copilot Business", LICENSES, 19 * MICRO),
    "copilot_premium_request": ("Copilot", "Copilot Premium Request", "requests", 40_000),
    "ghas_code_security_licenses": ("GHAS", "GitHub Code Security licenses", LICENSES, 30 * MICRO),
    "ghas_licenses": ("GHAS", "GitHub Advanced Security licenses", LICENSES, 49 * MICRO),
    "ghas_secret_protection_licenses": ("GHAS", "GitHub Secret Protection licenses", LICENSES, 19 * MICRO),
    "git_lfs_bandwidth": ("Git LFS", "Git LFS bandwidth", "gigabytes", 87_500),
    "packages_bandwidth": ("Packages", "Packages bandwidth", "gigabytes", 500_000),
}
_HABITS = (
    _Habit("octo-org/website", "", "actions_linux", "", 90, 400, 60),
    _Habit("octo-org/website", "", "actions_windows", "", 0, 90, 0),
    _Habit("octo-org/api", "", "actions_linux", "", 200, 700, 60),
    _Habit("octo-org/api", "", "packages_bandwidth", "", 0, 9, 1),
    _Habit("octo-lab", "", "git_lfs_bandwidth", "", 1, 12, 0),
    _Habit("octo-apps", "", "actions_macos", "", 0, 60, 0),
    _Habit("octo-org", "octocat", "copilot_ai_credits", "GPT-5", 40, 260, 20),
    _Habit("octo-org", "octocat", "copilot_premium_request", "GPT-5", 0, 6, 2),
    _Habit("octo-org", "monalisa", "copilot_ai_credits", "Claude Sonnet 4.5", 60, 420, 20),
    _Habit("octo-org", "monalisa", "copilot_premium_request", "Claude Sonnet 4.5", 0, 6, 2),
    _Habit("octo-apps", "hubot", "copilot_ai_credits", "GPT-5", 10, 120, 20),
    _Habit("octo-apps", "hubot", "copilot_premium_request", "GPT-5", 0, 6, 2),
    _Habit("octo-lab", "octocat", "codespaces_compute_d4", "", 0, 7, 0),
)
_SEAT = "copilot_for_business"
_SEATS = (("octo-org", "octocat"), ("octo-org", "monalisa"), ("octo-apps", "hubot"))
# The beginnings of all SKUs.
_FAMILIES = (*skus.PRODUCTS, "coding_agent", "code_quality", "models", "spark")
_SATURDAY = 5


@lru_cache(maxsize=1024)
def _of_day(day: date, names: SandboxNames) -> tuple[UsageRow, ...]:
    made = []
    for number, habit in enumerate(_HABITS):
        spread = habit.most - habit.least + 1
        quantity = habit.least + crc32(f"{day}/{number}".encode()) % spread
        if day.weekday() >= _SATURDAY:
            quantity //= 5
        if quantity:
            organization, repository = _place(habit.place, names)
            user = habit.user and names.stand_in("users", habit.user)
            used = habit.sku, habit.model, quantity, min(quantity, habit.included)
            made.append(UsageRow(day, organization, repository, user, *used, *_ITEMS[habit.sku]))
    if day.day == 1:
        seats = dict.fromkeys((_place(login, names)[0], names.stand_in("users", user)) for login, user in _SEATS)
        made += [UsageRow(day, organization, "", user, _SEAT, "", 1, 0, *_ITEMS[_SEAT]) for organization, user in seats]
    return tuple(made)


def _place(name: str, names: SandboxNames) -> tuple[str, str]:
    """Return the organization and the repository in the place of sample data."""
    if "/" in name:
        repository = names.stand_in("repositories", name)
        return repository.partition("/")[0], repository
    return names.stand_in("organizations", name), ""


def _first_day(today: date) -> date:
    """Return the first day of the ledger: the first of this month, a year ago."""
    return today.replace(year=today.year - 1, day=1)


def rows(state: SandboxState, start: date, end: date) -> Iterator[UsageRow]:
    """Yield the rows from `start` to `end` (inclusive), within the ledger: from a year ago to today.

    If a test has set usage, nothing is generated, so that a test can tell every amount.
    """
    today = state.today()
    day = max(start, _first_day(today))
    yield from (row for row in map(_row, state.spent) if day <= row.day <= min(end, today))
    is_generated = not state.spent and state.generated_usage and state.names.organizations and state.names.users
    while day <= min(end, today):
        if is_generated:
            yield from _of_day(day, state.names)
        day += timedelta(days=1)


def _is_license(sku: str) -> bool:
    """Return whether a SKU is counted in licenses, not in dollars."""
    return sku in _LICENSES or sku.endswith("_licenses")


def units_of(sku: str, amount: float) -> int:
    """Return an amount of dollars as cents, the units of a metered SKU, or a number of licenses.

    Raises:
        ValueError: It is not one, or there is no such SKU.
    """
    if sku not in skus.SKUS:
        raise ValueError(f"sku: {sku!r} is not a SKU; `billing-provider skus` prints them")
    units, what = (amount, "licenses") if _is_license(sku) else (amount * _CENTS, "dollars and cents")
    if not 0 <= units <= _MOST or not math.isclose(units, round(units), abs_tol=1e-6):
        raise ValueError(f"amount: {amount} is not a number of {what}")
    return round(units)


def checked(state: SandboxState, given: Spending) -> Spending:
    """Return usage that a test sets, with the names as the sandbox has them.

    Raises:
        ValueError: A name or the day is invalid.
    """
    day, today = date.fromisoformat(given.day), state.today()
    if not _first_day(today) <= day <= today:
        raise ValueError(f"day: {day} is not from {_first_day(today)} to {today}, the sandbox's time")
    if given.repository and not same_name(given.repository.partition("/")[0], given.organization):
        owner = given.organization
        raise ValueError(f"repository: {given.repository!r} is not one of {owner}: write {owner}/NAME")
    organization = _known(state, "organization", given.organization)
    user = given.user and _known(state, "user", given.user)
    return replace(given, day=day.isoformat(), organization=organization, user=user)


def _known(state: SandboxState, kind: str, name: str) -> str:
    found = state.find_name(kind, name)
    if found is None:
        held = getattr(state.known, f"{kind}s")
        raise ValueError(f"{kind}: the sandbox has no {name}; it has {', '.join(held)}")
    return found


def _row(spending: Spending) -> UsageRow:
    """Return the row of usage that a test has set; a metered unit costs one cent, and nothing is included."""
    sku = spending.sku
    product, name, unit, price = _ITEMS.get(sku) or (_product(sku), sku.replace("_", " ").title(), LICENSES, 19 * MICRO)
    if not _is_license(sku):
        unit, price = "units", MICRO // _CENTS
    place = spending.organization, spending.repository, spending.user
    day = date.fromisoformat(spending.day)
    return UsageRow(day, *place, sku, spending.model, spending.units, 0, product, name, unit, price)


def _product(sku: str) -> str:
    """Return the product of a SKU that the generated usage does not have."""
    family = next(family for family in _FAMILIES if sku.startswith(family))
    return {"coding_agent": "Copilot", "git_lfs": "Git LFS"}.get(family, family.replace("_", " ").title())


def cost_center_of(state: SandboxState, row: UsageRow) -> StoredCostCenter | None:
    """Return the cost center of a row: of its user, its repository or its organization, in this order."""
    for kind, name in (("User", row.user), ("Repo", row.repository), ("Org", row.organization)):
        for center in state.cost_centers.values():
            if any(member["type"] == kind and same_name(member["name"], name) for member in center.resources):
                return center
    return None


def dollars(micro: int) -> float:
    """Return micro-dollars as dollars, for JSON."""
    return micro / MICRO
