"""Whether the people whom budgets alert exist: one read a login, on a live account only."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from billing_provider.core.errors import BillingError
from billing_provider.core.ids import LOGIN
from billing_provider.core.redact import clean
from billing_provider.usage.people_api import PeopleApi

if TYPE_CHECKING:
    from billing_provider.audit.subjects import Account
    from billing_provider.runtime.run import Run

_MANAGED = "_"
"""Only logins of managed users contain it."""
_SHOWN = 300


def with_recipients(run: Run, account: Account) -> Account:
    """Return an account with the alerted logins that do not exist; a warning has those of which it is not known.

    A failed read proves nothing about its login. It ends the reads with the credential of its owner, because the next
    one would fail or wait too.

    Args:
        run: Endpoints and reporter.
        account: The budgets of a live account.
    """
    owners = {login: each.owner for each in reversed(account.budgets) for login in each.terms.alerts or ()}
    absent: set[str] = set()
    unknown: dict[str, list[str]] = {}
    failures: dict[str, str] = {}
    for number, login in enumerate(sorted(owners), 1):
        reason = failures.get(owners[login].key, "")
        if not LOGIN.fullmatch(login):
            reason = "it is no login, so it was not looked up"
        elif not reason:
            run.show(f"person {number} of {len(owners)} who is alerted", "people who are alerted")
            try:
                if not run.api(PeopleApi).shows_user(owners[login], login):
                    absent.add(login)
            except BillingError as error:
                reason = failures[owners[login].key] = str(error)
        if login in absent and _MANAGED in login:
            absent.remove(login)
            reason = "GitHub does not show this managed user, which can also mean that the token has no access"
        if reason:
            unknown.setdefault(reason, []).append(login)
    for reason, logins in unknown.items():
        run.reporter.warn(f"not known whether an alerted user exists: {clean(', '.join(logins), _SHOWN)}: {reason}")
    return replace(account, absent=frozenset(absent))
