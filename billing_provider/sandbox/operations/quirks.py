"""Quirks: named switches for what GitHub does sometimes, was observed to do, or might do."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

_MOST_DIGITS = 9
Evidence = Literal["documented", "observed", "guessed"]


@dataclass(frozen=True)
class Quirk:
    """One quirk: its evidence, its description, and its default number if it takes one."""

    name: str
    evidence: Evidence
    summary: str
    number: int | None = None


QUIRKS: dict[str, Quirk] = {
    quirk.name: quirk
    for quirk in (
        Quirk("alerting_for_user_missing", "guessed", "user budgets are returned without budget_alerting"),
        Quirk("app_token_seconds", "guessed", "tokens of an App end after N seconds (documented: one hour)", 3),
        Quirk("bare_repository", "documented", "a repository budget is returned as 'repo', not 'owner/repo'"),
        Quirk(
            "conflict_names_uuid", "observed", "the 409 for a used cost-center name contains that cost center's UUID"
        ),
        Quirk("consumed_everywhere", "guessed", "every budget is returned with consumed_amount"),
        Quirk("consumed_in_get", "documented", "a single budget is returned with consumed_amount (optional)"),
        Quirk("cost_center_limit", "documented", "N cost centers can be active (1000 if it is off)", 1000),
        Quirk("cost_center_patch_needs_name", "observed", "PATCH of a cost center without a name returns 422"),
        Quirk("cost_center_scope_echo", "observed", "multi_user_cost_center budgets are listed as cost_center"),
        Quirk("create_echoes_user", "guessed", "the create reply contains user"),
        Quirk("current_days_zero", "observed", "AI-credit and premium reports for a day of this month are empty"),
        Quirk("delete_says_budget_id", "documented", "the delete reply contains budget_id instead of id"),
        Quirk("deleted_name_held", "guessed", "the name of an archived cost center cannot be used again"),
        Quirk("duplicates_refused", "guessed", "a second budget for one target and SKU returns 422 already_exists"),
        Quirk("empty_entity", "guessed", "enterprise budgets are returned with the entity ''"),
        Quirk("enforce_limits", "documented", "limits are enforced: N requests/h, 80 writes/min, 500 writes/h", 5000),
        Quirk("exclusion_ignored", "guessed", "exclude_cost_center_usage is ignored, and no reply contains it"),
        Quirk("expired_kept", "guessed", "expired user budgets are kept (documented: GitHub removes them)"),
        Quirk("export_fails", "guessed", "usage exports fail"),
        Quirk("extra_fields", "guessed", "budgets are returned with undocumented fields"),
        Quirk("feature_off", "documented", "budgets are not enabled: every budget route returns 404"),
        Quirk("flat_create", "documented", "the create reply is the budget itself, without an envelope"),
        Quirk("float_amounts", "documented", "amounts are returned as 1000.0"),
        Quirk("get_omits_expiry", "documented", "a single budget is returned without expires_at; listings contain it"),
        Quirk("link_header", "observed", "listings send a Link header"),
        Quirk("list_lag", "guessed", "a new budget is missing from the next N listings", 2),
        Quirk("list_lag_seconds", "guessed", "a new budget is missing from listings for N seconds", 5),
        Quirk("long_ids", "documented", "budget ids have 37 characters, one more than a UUID"),
        Quirk("manager_cannot_delete", "documented", "billing managers cannot delete budgets, only enterprise owners"),
        Quirk("missing_entity", "documented", "listings omit the entity of enterprise budgets"),
        Quirk("monthly_usage", "observed", "the usage report has monthly sums, dated on the first day of the month"),
        Quirk("multi_user_customer_empty_entity", "guessed", "multi_user_customer budgets are returned with entity ''"),
        Quirk("no_id_in_create", "documented", "the create reply has no budget id"),
        Quirk("old_missing_user_text", "documented", "a missing user is reported as a missing budget_entity_name"),
        Quirk(
            "organization_billed_by_enterprise",
            "observed",
            "the budget routes of organizations return 400, for reads too",
        ),
        Quirk("page_cap_10", "observed", "a page has at most 10 budgets, whatever per_page is"),
        Quirk("page_flags_missing", "documented", "listings have neither has_next_page nor total_count"),
        Quirk("patch_four_fields", "guessed", "PATCH refuses fields that GitHub's description lacks (422)"),
        Quirk("patch_ignores_identity", "guessed", "PATCH ignores scope, entity, user, type and SKU (instead of 400)"),
        Quirk("plural_sku", "documented", "budgets are returned with budget_product_skus, a list"),
        Quirk("premium_requests_converted", "documented", "a premium_requests budget is stored as ai_credits"),
        Quirk("recipients_lowercased", "guessed", "alert recipients are returned in lowercase"),
        Quirk("recipients_reordered", "guessed", "alert recipients are returned in another order"),
        Quirk("resource_limit", "documented", "a cost center has at most N members (25000 if it is off)", 25_000),
        Quirk("resource_long_types", "observed", "cost-center members are returned as Repository and EnterpriseTeam"),
        Quirk("singular_ai_credit", "observed", "copilot_ai_credits is returned as copilot_ai_credit"),
        Quirk("total_count_missing", "documented", "listings have no total_count"),
        Quirk("uppercase_login_echo", "guessed", "logins and organizations are returned with a capital letter"),
        Quirk("user_usage_empty", "observed", "the reports of a user are empty, as for members of an organization"),
        Quirk("uuid_echo", "guessed", "a cost-center budget is returned with the UUID, not the name"),
        Quirk("whole_month_counts", "guessed", "a budget counts the whole month, not only since its creation"),
    )
}


class UnknownQuirkError(ValueError):
    """There is no quirk of that name; the message lists similar names."""

    def __init__(self, name: str) -> None:
        near = get_close_matches(name, QUIRKS, n=3, cutoff=0.4)
        hint = f"; similar: {', '.join(near)}" if near else ""
        super().__init__(f"unknown quirk {name!r}{hint} (--list-quirks lists all)")


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
