"""Check the setup (read-only); each finding has a repair."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from billing_provider.budgets.api import BudgetsApi
from billing_provider.core.credentials import Token
from billing_provider.core.errors import (
    ApiError,
    AppError,
    BillingError,
    ConfigError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
)
from billing_provider.core.owners import ENTERPRISE, ENTERPRISE_OWNER
from billing_provider.transport import retry
from billing_provider.transport.access import FINE_GRAINED, GRANTS, TOKEN_KINDS, UNSURE
from billing_provider.transport.http import API_VERSION
from billing_provider.transport.rest import billing_path

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping, Sequence

    from billing_provider.core.credentials import Credential
    from billing_provider.core.owners import Owner
    from billing_provider.core.settings import Settings
    from billing_provider.runtime.run import Run
    from billing_provider.transport.session import Reply

OK, WARNING, FAILED = "ok", "warning", "failed"
_MAX_SKEW_SECONDS = 60
_SOON_DAYS = 14
_FEW_REQUESTS = 100


@dataclass(frozen=True)
class Finding:
    """One line of the doctor.

    Attributes:
        level: `ok`, `warning` or `failed`.
        subject: What was checked.
        text: The result.
        repair: What to do; empty if nothing is wrong.
    """

    level: str
    subject: str
    text: str
    repair: str = ""


def examine(run: Run, owners: Sequence[Owner]) -> Iterator[Finding]:
    """Yield the findings, from the settings to each owner's budgets; nothing is written.

    Args:
        run: The settings and the client.
        owners: The owners of the budgets.
    """
    try:
        settings = run.settings
    except ConfigError as error:
        yield Finding(
            FAILED, "settings", str(error), "Correct this setting, then run the doctor again; nothing else was checked."
        )
        return
    for credential, whose in _by_credential(settings, owners).items():
        if (yield from _checked(run, credential, whose)):
            for owner in whose:
                yield from _owner(run, owner)
            if not owners:
                yield Finding(WARNING, "budgets", "no owner given", "Add --enterprise SLUG or --org LOGIN.")


def _by_credential(settings: Settings, owners: Sequence[Owner]) -> dict[Credential | None, list[Owner]]:
    """Return the credentials to check, each with its owners; the default one if there are no owners."""
    found: dict[Credential | None, list[Owner]] = {}
    for owner in owners:
        found.setdefault(settings.credentials.of(owner.kind.noun, owner.slug), []).append(owner)
    return found or {settings.credentials.default: []}


def _checked(run: Run, credential: Credential | None, owners: Sequence[Owner]) -> Generator[Finding, None, bool]:
    """Yield the findings about one credential and from a reply to it; return whether the owners can be checked."""
    if isinstance(credential, Token):
        kind = next(
            (kind for start, kind in TOKEN_KINDS.items() if credential.value.startswith(start)), "of an unknown kind"
        )
        unsure = kind == FINE_GRAINED and any(owner.kind is ENTERPRISE_OWNER for owner in owners)
        yield Finding(OK, "token", f"from {credential.source}, {kind}" + (f"; {UNSURE}: it is tried" if unsure else ""))
    elif credential is not None:
        yield Finding(OK, "app", f"App {credential.app_id}, its key from {credential.source}")
    if not owners and not isinstance(credential, Token):
        # Only an installation has a token, and only an owner has an installation.
        return True
    host = run.settings.base_url
    try:
        reply = run.api(BudgetsApi).get_rate_limit(owners[0] if owners else None)
    except (AppError, ConfigError):
        # The findings of the owners name it.
        return True
    except BillingError as error:
        yield _unreachable(error, urlsplit(host).netloc)
        return False
    yield Finding(OK, "host", host)
    yield from _answer(reply, run.clock.wall(), owners)
    return True


def _unreachable(error: BillingError, host: str) -> Finding:
    if isinstance(error, ForbiddenError) and error.status == 401:  # noqa: PLR2004 - Unauthorized
        return Finding(
            FAILED,
            "token",
            "GitHub rejected the token (401)",
            "Replace it: it is expired, revoked or incomplete.",
        )
    if isinstance(error, ApiError) and error.status in (400, 410):
        repair = "Update this package."
        return Finding(FAILED, "API version", f"{API_VERSION} was rejected: {error.message}", repair)
    return Finding(FAILED, "host", str(error), f"Check the connection to {host}, the proxy and the CA bundle.")


def _answer(reply: Reply, wall_seconds: float, owners: Sequence[Owner]) -> Iterator[Finding]:
    """Yield the findings from response headers: token, version, clock and limits."""
    headers = reply.headers
    yield from _scopes(headers, owners)
    yield from _expiry(headers, wall_seconds)
    if "deprecation" in headers or "sunset" in headers:
        end = headers.get("sunset", "an unknown date")
        yield Finding(WARNING, "API version", f"{API_VERSION} ends on {end}", "Update this package before that date.")
    else:
        yield Finding(OK, "API version", API_VERSION)
    yield from _time(headers, wall_seconds)
    yield from _limits(reply.data)


def _scopes(headers: Mapping[str, str], owners: Sequence[Owner]) -> Iterator[Finding]:
    header = headers.get("x-oauth-scopes")
    if header is None:
        yield Finding(OK, "scopes", "unknown: GitHub reports scopes of classic tokens only")
        return
    scopes = [scope.strip() for scope in header.split(",") if scope.strip()]
    for_enterprise = any(owner.kind is ENTERPRISE_OWNER for owner in owners)
    if for_enterprise and not any(scope in scopes for scope in GRANTS[ENTERPRISE].scopes):
        yield Finding(
            WARNING,
            "scopes",
            f"{', '.join(scopes) or 'none'}: no scope for the billing of an enterprise",
            f"Add {GRANTS[ENTERPRISE].scopes[0]} to the token.",
        )
    else:
        yield Finding(OK, "scopes", ", ".join(scopes) or "none")


def _expiry(headers: Mapping[str, str], wall_seconds: float) -> Iterator[Finding]:
    header = headers.get("github-authentication-token-expiration")
    if not header:
        return
    end = _moment(header)
    days = None if end is None else int((end - wall_seconds) // 86_400)
    if days is None or days >= _SOON_DAYS:
        yield Finding(OK, "expiry", header if days is None else f"in {days} days ({header})")
    else:
        yield Finding(
            WARNING, "expiry", f"in {days} days ({header})", "Renew the token before that date, and update the secret."
        )


def _moment(text: str) -> float | None:
    """Parse GitHub's time format: 2026-12-31 10:00:00 UTC, or with an offset."""
    try:
        return datetime.strptime(text.replace(" UTC", " +0000"), "%Y-%m-%d %H:%M:%S %z").timestamp()
    except ValueError:
        return None


def _time(headers: Mapping[str, str], wall_seconds: float) -> Iterator[Finding]:
    server_time = retry.http_date(headers.get("date"))
    if server_time is None:
        yield Finding(WARNING, "clock", "the reply has no Date header", "Check the proxy.")
        return
    skew = server_time - wall_seconds
    if abs(skew) > _MAX_SKEW_SECONDS:
        text = f"this machine's clock is {abs(skew):.0f} s {'behind' if skew > 0 else 'ahead of'} GitHub's"
        yield Finding(WARNING, "clock", text, "Synchronize the clock with NTP: it decides when a budget expires.")
    else:
        yield Finding(OK, "clock", "agrees with GitHub's")


def _limits(data: Any) -> Iterator[Finding]:
    rate = data.get("rate") if isinstance(data, dict) else None
    rate = rate if isinstance(rate, dict) else {}
    remaining, limit = rate.get("remaining"), rate.get("limit")
    if not isinstance(remaining, int) or not isinstance(limit, int):
        yield Finding(
            WARNING, "limits", "the reply has no rate limits", "Nothing to do: limits are followed when they occur."
        )
    elif remaining < min(_FEW_REQUESTS, limit // 10):
        text = f"{remaining} of {limit} requests are left this hour"
        yield Finding(WARNING, "limits", text, "Wait for the next hour, or use a separate token for budgets.")
    else:
        yield Finding(OK, "limits", f"{remaining} of {limit} requests are left this hour")


def _owner(run: Run, owner: Owner) -> Iterator[Finding]:
    listing = _listing(run, owner)
    installation = run.transport.installation(billing_path(owner))
    if installation is not None:
        subject = f"{owner.kind.noun} {owner.slug}"
        permission = GRANTS[owner.kind.noun].key
        level = installation.permissions.get(permission, "no access")
        text = f"{installation}, {permission}: {level}"
        if level == "write":
            yield Finding(OK, subject, text)
        else:
            yield Finding(
                WARNING, subject, text, f"To change budgets, grant the App {permission}: write, and accept it there."
            )
    yield listing


def _listing(run: Run, owner: Owner) -> Finding:
    subject = f"{owner.kind.noun} {owner.slug}"
    try:
        page = run.api(BudgetsApi).get_budget_page(owner, 1)
    except AppError as error:
        return Finding(FAILED, subject, str(error).removesuffix(f" {error.advice}"), error.advice)
    except (NotFoundError, ForbiddenError) as error:
        text = f"budgets cannot be listed: {error.message} ({error.status})"
        return Finding(FAILED, subject, text, _repair(error))
    except InvalidError as error:
        text = f"budgets cannot be listed: {error.message} ({error.status})"
        return Finding(FAILED, subject, text, error.advice or "Update this package.")
    except ConfigError as error:
        return Finding(FAILED, subject, str(error), "Correct the setting.")
    except BillingError as error:
        return Finding(
            FAILED, subject, str(error), "Run again; if the error remains, see https://www.githubstatus.com."
        )
    count = page.total if page.total is not None else f"{len(page.rows)} or more"
    return Finding(OK, subject, f"budgets can be listed: {count} (write access is not checked; the first up shows it)")


def _repair(error: ApiError) -> str:
    if isinstance(error, ForbiddenError) or "single sign-on" in error.advice:
        return error.advice
    return "Check the slug, the role of the token's user (owner or billing manager), and whether usage is billed."
