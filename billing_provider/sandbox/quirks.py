"""Quirks: named switches for what GitHub does sometimes, was observed to do, or might do."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["QUIRKS", "Quirk", "Quirks", "UnknownQuirkError"]

_MOST_DIGITS = 9
Grade = Literal["documented", "observed", "guessed"]


@dataclass(frozen=True)
class Quirk:
    """One quirk: its evidence (`grade`), its description, and its default number if it takes one."""

    name: str
    grade: Grade
    summary: str
    number: int | None = None


QUIRKS: dict[str, Quirk] = {
    quirk.name: quirk
    for quirk in (
        Quirk("alerting_for_user_missing", "guessed", "user budgets are read without budget_alerting"),
        Quirk("bare_repository", "documented", "a repository budget is read back as 'repo', not 'owner/repo'"),
        Quirk("conflict_names_uuid", "observed", "the 409 for a cost-center name in use tells the UUID of its holder"),
        Quirk("consumed_everywhere", "guessed", "every budget that is read carries consumed_amount"),
        Quirk("cost_center_patch_needs_name", "observed", "PATCH of a cost center without a name answers 422"),
        Quirk("cost_center_scope_echo", "observed", "listings call a multi_user_cost_center budget cost_center"),
        Quirk("create_echoes_user", "guessed", "the create reply carries user"),
        Quirk("current_days_zero", "observed", "AI-credit and premium usage of a day of this month has no items"),
        Quirk("delete_says_budget_id", "documented", "the delete reply carries budget_id instead of id"),
        Quirk("deleted_name_held", "guessed", "an archived cost center still holds its name"),
        Quirk("duplicates_refused", "guessed", "a second budget for one target and SKU answers 422 already_exists"),
        Quirk("empty_entity", "guessed", "enterprise budgets are read with the entity ''"),
        Quirk("enforce_limits", "documented", "limits hold: N requests an hour, 80 writes a minute, 500 an hour", 5000),
        Quirk("expired_kept", "guessed", "a user budget past expires_at stays (documented: GitHub removes it)"),
        Quirk("export_fails", "guessed", "exports of usage end as failed"),
        Quirk("extra_fields", "guessed", "budgets are read with fields that no description names"),
        Quirk("feature_off", "documented", "budgets are not enabled: every budget route answers 404"),
        Quirk("flat_create", "documented", "the create reply is the budget itself, without an envelope"),
        Quirk("float_amounts", "documented", "amounts are read as 1000.0"),
        Quirk("get_omits_expiry", "documented", "reading one budget leaves out expires_at; listings have it"),
        Quirk("link_header", "observed", "listings send a Link header"),
        Quirk("list_lag", "guessed", "a new budget is missing from the next N listings", 2),
        Quirk("list_lag_seconds", "guessed", "a new budget is missing from listings for N seconds", 5),
        Quirk("long_ids", "documented", "budget ids have 37 characters, one more than a UUID"),
        Quirk("manager_cannot_delete", "documented", "only an enterprise owner deletes budgets, no billing manager"),
        Quirk("missing_entity", "documented", "listings leave out the entity of enterprise budgets"),
        Quirk("monthly_usage", "observed", "the usage report has sums by month, dated on its first day"),
        Quirk("multi_user_customer_empty_entity", "guessed", "multi_user_customer budgets are read with the entity ''"),
        Quirk("no_id_in_create", "documented", "the create reply has no budget id"),
        Quirk("old_missing_user_text", "documented", "a user budget without user is told to be without an entity name"),
        Quirk("page_cap_10", "observed", "a page holds at most 10 budgets whatever per_page asks"),
        Quirk("page_flags_missing", "documented", "listings have neither has_next_page nor total_count"),
        Quirk("patch_ignores_identity", "guessed", "PATCH ignores scope, entity, user, type and SKU instead of a 400"),
        Quirk("plural_sku", "documented", "budgets are read with budget_product_skus, a list"),
        Quirk("premium_requests_converted", "documented", "a premium_requests budget is stored as ai_credits"),
        Quirk("recipients_lowercased", "guessed", "alert recipients are read in lower case"),
        Quirk("recipients_reordered", "guessed", "alert recipients are read in another order"),
        Quirk("resource_long_types", "observed", "cost-center members are read as Repository and EnterpriseTeam"),
        Quirk("singular_ai_credit", "observed", "copilot_ai_credits is read as copilot_ai_credit"),
        Quirk("total_count_missing", "documented", "listings have no total_count"),
        Quirk("uppercase_login_echo", "guessed", "logins and organizations are read with a capital letter"),
        Quirk("user_usage_empty", "observed", "a user's own reports are empty, as for members of an organization"),
        Quirk("uuid_echo", "guessed", "a cost-center budget is read back with the UUID, not the name"),
        Quirk("whole_month_counts", "guessed", "a budget counts this whole month, not only what comes after it"),
    )
}


class UnknownQuirkError(ValueError):
    """There is no quirk of that name; the message lists similar names."""

    def __init__(self, name: str) -> None:
        near = get_close_matches(name, QUIRKS, n=3, cutoff=0.4)
        hint = f"; near ones: {', '.join(near)}" if near else ""
        super().__init__(f"no quirk is called {name!r}{hint} (--list-quirks lists all)")


class Quirks:
    """The quirks that are on, each as `name` or with a number as `name=3`."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._on: dict[str, int] = {}
        for name in names:
            self.switch(name)

    def __contains__(self, name: str) -> bool:
        return name in self._on

    def number(self, name: str) -> int:
        """Return the number of the quirk `name`, 0 while it is off."""
        return self._on.get(name, 0)

    def names(self) -> list[str]:
        """Return the names of all quirks that are on, sorted."""
        return sorted(self._on)

    def switch(self, text: str, *, on: bool = True) -> None:
        """Switch one quirk on or off.

        Raises:
            UnknownQuirkError: There is no such quirk, or its number is invalid or has more than nine digits.
        """
        name, _, number = text.partition("=")
        quirk = QUIRKS.get(name)
        is_number = number.isdecimal() and len(number) <= _MOST_DIGITS
        if quirk is None or (number and (quirk.number is None or not is_number)):
            raise UnknownQuirkError(text)
        self._on.pop(name, None)
        if on:
            self._on[name] = int(number) if number else quirk.number or 1
