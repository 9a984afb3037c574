"""The usage that all reports and amounts are computed from: one generated year, or what a test has set."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import TYPE_CHECKING
from zlib import crc32

from billing_provider.sandbox.store import skus
from billing_provider.sandbox.store.names import same_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from billing_provider.sandbox.store.names import Names
    from billing_provider.sandbox.store.records import CostCenter, Spending
    from billing_provider.sandbox.store.state import State

__all__ = ["LICENCES", "MICRO", "Row", "cost_center_of", "dollars", "first_day", "is_licence", "rows"]

# Amounts are whole micro-dollars, so that sums do not depend on their order.
MICRO = 1_000_000
LICENCES = "user-months"
_CENT = MICRO // 100
_LICENCES = ("copilot_for_business", "copilot_enterprise", "copilot_standalone")


@dataclass(frozen=True)
class Row:
    """The usage of one SKU by one user or repository on one day, in whole units and micro-dollars."""

    day: date
    organization: str
    repository: str
    user: str
    product: str
    sku: str
    sku_name: str
    model: str
    unit: str
    price: int
    quantity: int
    discount: int

    @property
    def net(self) -> int:
        """The billed units."""
        return self.quantity - self.discount


@dataclass(frozen=True)
class _Habit:
    """A sample user or repository with an SKU, its least and most use on a working day, and its included units."""

    organization: str
    repository: str
    user: str
    product: str
    sku: str
    sku_name: str
    model: str
    unit: str
    price: int
    least: int
    most: int
    included: int


def _copilot(organization: str, user: str, model: str, least: int, most: int) -> tuple[_Habit, ...]:
    return (
        _Habit(
            *(organization, "", user, "Copilot", "copilot_ai_credits", "Copilot AI Credits", model),
            *("credits", 10_000, least, most, 20),
        ),
        _Habit(
            *(organization, "", user, "Copilot", "copilot_premium_request", "Copilot Premium Request", model),
            *("requests", 40_000, 0, 6, 2),
        ),
    )


_HABITS: tuple[_Habit, ...] = (
    *(
        _Habit(organization, repository, "", product, sku, name, "", unit, price, least, most, included)
        for organization, repository, product, sku, name, unit, price, least, most, included in (
            (
                "octo-org",
                "octo-org/website",
                "Actions",
                "actions_linux",
                "Actions Linux",
                "minutes",
                6_000,
                90,
                400,
                60,
            ),
            (
                "octo-org",
                "octo-org/website",
                "Actions",
                "actions_windows",
                "Actions Windows",
                "minutes",
                10_000,
                0,
                90,
                0,
            ),
            ("octo-org", "octo-org/api", "Actions", "actions_linux", "Actions Linux", "minutes", 6_000, 200, 700, 60),
            (
                "octo-org",
                "octo-org/api",
                "Packages",
                "packages_bandwidth",
                "Packages bandwidth",
                "gigabytes",
                500_000,
                0,
                9,
                1,
            ),
            ("octo-lab", "", "Git LFS", "git_lfs_bandwidth", "Git LFS bandwidth", "gigabytes", 87_500, 1, 12, 0),
            ("octo-apps", "", "Actions", "actions_macos", "Actions macOS", "minutes", 62_000, 0, 60, 0),
        )
    ),
    *_copilot("octo-org", "octocat", "GPT-5", 40, 260),
    *_copilot("octo-org", "monalisa", "Claude Sonnet 4.5", 60, 420),
    *_copilot("octo-apps", "hubot", "GPT-5", 10, 120),
    _Habit(
        *("octo-lab", "", "octocat", "Codespaces", "codespaces_compute_d4", "Codespaces compute 4-core", ""),
        *("hours", 360_000, 0, 7, 0),
    ),
)
_SEATS = (("octo-org", "octocat"), ("octo-org", "monalisa"), ("octo-apps", "hubot"))
_SEAT = ("Copilot", "copilot_for_business", "Copilot Business", "", LICENCES, 19 * MICRO, 1, 0)
_GHAS_NAMES = (
    "GitHub Advanced Security licenses",
    "GitHub Code Security licenses",
    "GitHub Secret Protection licenses",
)
# The product and the name of each SKU in reports.
_NAMES = {
    **{habit.sku: (habit.product, habit.sku_name) for habit in _HABITS},
    _SEAT[1]: (_SEAT[0], _SEAT[2]),
    **{sku: ("GHAS", name) for sku, name in zip(skus.GHAS, _GHAS_NAMES, strict=True)},
}
# The prices of licences in US dollars a month.
_SEAT_PRICE = 19
_GHAS_PRICES = dict(zip(skus.GHAS, (49, 30, 19), strict=True))
# The beginnings of all SKUs.
_FAMILIES = (*skus.PRODUCTS, "coding_agent", "code_quality", "models", "spark")
_SATURDAY = 5


@lru_cache(maxsize=1024)
def _of_day(day: date, names: Names) -> tuple[Row, ...]:
    made = []
    for number, habit in enumerate(_HABITS):
        spread = habit.most - habit.least + 1
        quantity = habit.least + crc32(f"{day}/{number}".encode()) % spread
        if day.weekday() >= _SATURDAY:
            quantity //= 5
        if quantity:
            made.append(
                Row(
                    *(day, *_place(habit, names), habit.user and names.user(habit.user), habit.product, habit.sku),
                    *(habit.sku_name, habit.model, habit.unit, habit.price, quantity, min(quantity, habit.included)),
                )
            )
    if day.day == 1:
        seats = dict.fromkeys((names.organization(organization), names.user(user)) for organization, user in _SEATS)
        made += [Row(day, organization, "", user, *_SEAT) for organization, user in seats]
    return tuple(made)


def _place(habit: _Habit, names: Names) -> tuple[str, str]:
    """Return the organization and the repository of a habit."""
    if habit.repository:
        repository = names.repository(habit.repository)
        return repository.partition("/")[0], repository
    return names.organization(habit.organization), ""


def first_day(today: date) -> date:
    """Return the first day of the ledger: the first of this month, a year ago."""
    return today.replace(year=today.year - 1, day=1)


def rows(state: State, start: date, end: date) -> Iterator[Row]:
    """Yield the rows from `start` to `end` (inclusive), within the ledger: from a year ago to today.

    If a test has set usage, nothing is generated, so that a test can tell every amount.
    """
    today = state.today()
    day = max(start, first_day(today))
    yield from (row for row in map(_row, state.spent) if day <= row.day <= min(end, today))
    is_generated = not state.spent and state.generated_usage and state.names.organizations and state.names.users
    while day <= min(end, today):
        if is_generated:
            yield from _of_day(day, state.names)
        day += timedelta(days=1)


def is_licence(sku: str) -> bool:
    """Return whether a SKU is counted in licences, not in dollars."""
    return sku in _LICENCES or sku.endswith("_licenses")


def _row(spending: Spending) -> Row:
    """Return the row of usage that a test has set; a metered unit costs one cent, and nothing is included."""
    product, name = _NAMES.get(spending.sku) or (_product(spending.sku), spending.sku.replace("_", " ").title())
    unit, price = "units", _CENT
    if is_licence(spending.sku):
        unit, price = LICENCES, _GHAS_PRICES.get(spending.sku, _SEAT_PRICE) * MICRO
    place = spending.organization, spending.repository, spending.user
    return Row(
        *(date.fromisoformat(spending.day), *place, product, spending.sku, name, spending.model),
        *(unit, price, spending.units, 0),
    )


def _product(sku: str) -> str:
    """Return the product of a SKU that the generated usage does not have."""
    family = next(family for family in _FAMILIES if sku.startswith(family))
    return {"coding_agent": "Copilot", "git_lfs": "Git LFS"}.get(family, family.replace("_", " ").title())


def cost_center_of(state: State, row: Row) -> CostCenter | None:
    """Return the cost center of a row: of its user, its repository or its organization, in this order."""
    for kind, name in (("User", row.user), ("Repo", row.repository), ("Org", row.organization)):
        for center in state.cost_centers.values():
            if any(member["type"] == kind and same_name(member["name"], name) for member in center.resources):
                return center
    return None


def dollars(micro: int) -> float:
    """Return micro-dollars as dollars, for JSON."""
    return micro / MICRO
