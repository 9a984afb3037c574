"""The attacks: each plays one round from a seed and returns what went wrong in it."""

from __future__ import annotations

import random
import re
import socket
import traceback
import unicodedata
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final
from unittest import mock
from urllib.parse import urlsplit

from urllib3.util import parse_url

from billing_provider.budgets.lifecycle import Lifecycle
from billing_provider.budgets.skus import pricing_type
from billing_provider.core.clock import Clock
from billing_provider.core.credentials import Credentials, Token
from billing_provider.core.errors import BillingError, ConfigError
from billing_provider.core.inputs import ON_EXISTING
from billing_provider.core.owners import ENTERPRISE_OWNER, ORGANIZATION_OWNER, OWNER_KINDS, Owner
from billing_provider.core.redact import clean, redact
from billing_provider.core.settings import Settings, read_settings
from billing_provider.cost_centers.lifecycle import CostCenterLifecycle
from billing_provider.doctor import examine
from billing_provider.reader import Reader
from billing_provider.runtime.run import Run
from billing_provider.sandbox import Sandbox
from tests.faults.world import spellings
from tests.fuzz.hostile import ELSEWHERE, HostileServer, spoil, value
from tests.support.declared import everything

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from billing_provider.core.resource import Stored

E = "octo-enterprise"
START = datetime.fromisoformat("2026-09-21T14:13:20+00:00").timestamp()
"""The time of every round."""
UUID = "0123abcd-0123-4567-89ab-0123456789ab"
TOKEN = "ghp_" + "aB3dE5gH" * 4 + "zZ9z"
_LOOPBACK = ("127.0.0.1", "localhost", "::1", "[::1]")
_TENANT = re.compile(r"api\.[a-z0-9-]+\.ghe\.com", re.ASCII | re.IGNORECASE)
_ID = r"[A-Za-z0-9][A-Za-z0-9_-]*"
_ROUTES = re.compile(
    rf"[A-Z]+ (?:/[a-z]+)?/(?:rate_limit|enterprises/{_ID}/teams/ent:{_ID}/memberships|"
    r"(?:enterprises|organizations|users)/"
    r"[A-Za-z0-9][A-Za-z0-9._-]*/settings/billing/"
    rf"(?:(?:budgets|cost-centers|reports)(?:/{_ID}(?:/user-states|/resource)?)?|[a-z_]+(?:/[a-z_]+)?))",
    re.ASCII,
)
"""What may be asked for at all."""
_SAME_SKU = {"copilot_ai_credits": "copilot_ai_credit", "copilot_ai_credit": "copilot_ai_credits"}
_AUGUST: Final[dict[str, Any]] = {"year": 2026, "month": 8}
NONE: frozenset[str] = frozenset()
_CENTER = {
    "enterprise": E,
    "name": "Apps",
    "users": ["octocat", "hubot"],
    "enterprise_teams": ["ent:platform"],
    "ai_credit_pool_enabled": True,
}

_PLAIN: Final[list[dict[str, Any]]] = [
    {"enterprise": E, "budget_amount": 5, "budget_product_sku": "actions"},
    {
        "enterprise": E,
        "budget_amount": 5,
        "budget_product_sku": "ai_credits",
        "budget_scope": "user",
        "user": "hubot",
        "on_raise": "keep",
    },
    {
        "enterprise": E,
        "budget_amount": 5,
        "budget_product_sku": "actions",
        "budget_scope": "cost_center",
        "budget_entity_name": "Platform",
    },
    {
        "organization": "octo-org",
        "budget_amount": 5,
        "budget_product_sku": "actions",
        "budget_scope": "repository",
        "budget_entity_name": "octo-org/api",
        "on_existing": "adopt",
        "expires_at": "2027-01-31",
    },
]


def _first_id(reader: Reader) -> str:
    return next((budget.id for budget in reader.budgets(enterprise=E)), UUID)


READS: dict[str, Callable[[Reader], Any]] = {
    "get_usage": lambda reader: reader.usage(enterprise=E, all_cost_centers=True, **_AUGUST),
    "get_usage_summary": lambda reader: reader.summary("usage/summary", organization="octo-org", **_AUGUST),
    "get_premium_request_usage": lambda reader: reader.summary("premium_request/usage", user="octocat", **_AUGUST),
    "get_ai_credit_usage": lambda reader: reader.summary("ai_credit/usage", enterprise=E, user="hubot", **_AUGUST),
    "get_cost_centers": lambda reader: reader.cost_centers(enterprise=E),
    "get_cost_center": lambda reader: reader.cost_center(enterprise=E, cost_center="Platform"),
    "get_enterprise_team_members": lambda reader: reader.enterprise_team_members(
        enterprise=E, enterprise_team="developers"
    ),
    "get_budgets": lambda reader: reader.budgets(organization="octo-org"),
    "get_budget": lambda reader: reader.budget(enterprise=E, budget_id=_first_id(reader)),
    "get_effective_budget": lambda reader: reader.effective_budget(enterprise=E, user="hubot"),
    "get_user_states": lambda reader: reader.user_states(enterprise=E, budget_id=_first_id(reader)),
    "get_usage_report_exports": lambda reader: reader.report_exports(enterprise=E),
    "get_usage_report_export": lambda reader: reader.report_export(enterprise=E, report_id=UUID),
    "get_usage_report_rows": lambda reader: reader.report_rows(
        enterprise=E, report_type="detailed", start_date="2026-08-01", end_date="2026-08-02"
    ),
}


def _raw(what: str, error: BaseException) -> str:
    frames = "".join(traceback.format_exception(error)[-3:])
    return f"{what}: raw exception {type(error).__name__}: {frames}"


def _badly_shown(text: str) -> str | None:
    """Return what is wrong with a text that a person reads, or None."""
    if any(form in text for form in spellings(TOKEN)):
        return "shows the token"
    if redact(text) != text:
        return "shows something that looks like a token"
    for sign in text:
        if unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"):
            return f"shows the character {sign!a}"
    return None


def _judge_texts(what: str, texts: list[str]) -> list[str]:
    return [f"{what}: {wrong}: {text!a}" for text in texts if (wrong := _badly_shown(text)) is not None]


@contextmanager
def _only_loopback(seen: list[str]) -> Iterator[None]:
    """Note every host outside loopback that a connection is tried to, and let none through."""
    lookup = socket.getaddrinfo

    def getaddrinfo(host: Any, *args: Any, **kwargs: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name not in ("127.0.0.1", "localhost", "::1"):
            seen.append(str(name))
            raise socket.gaierror(-2, "not from a test")
        return lookup(host, *args, **kwargs)

    with mock.patch.object(socket, "getaddrinfo", getaddrinfo):
        yield


class _QuickClock(Clock):
    """A clock whose waits cost nothing."""

    def __init__(self) -> None:
        self._slept = 0.0

    def wall(self) -> float:
        """Return a time that is the same in every round."""
        return START + self._slept

    def now(self) -> float:
        """Return the seconds that were slept."""
        return self._slept

    def sleep(self, seconds: float) -> None:
        """Let that much time pass at once."""
        self._slept += seconds


@dataclass
class Listener:
    """What a run has said, made fit to be shown as every reporter does it."""

    is_live: bool = True
    warnings: list[str] = field(default_factory=list)
    statuses: list[str] = field(default_factory=list)

    def warn(self, text: str) -> None:
        """Keep a warning."""
        self.warnings.append(clean(text))

    def status(self, text: str) -> None:
        """Keep a status line."""
        self.statuses.append(clean(text))


@dataclass
class RunHarness:
    """One run, with the lifecycles of all resources on it."""

    run: Run
    listener: Listener
    budgets: dict[str, Lifecycle]
    cost_centers: CostCenterLifecycle


def _budgets(sandbox: Sandbox) -> list[dict[str, Any]]:
    return list(everything(sandbox).values())


def _desk(base_url: str, token: str) -> RunHarness:
    """Return a run against an address; no wait in it takes any time."""
    settings = Settings(
        Credentials(Token(token)),
        base_url=base_url,
        write_interval_seconds=0,
        writes_per_minute=0,
        writes_per_hour=0,
        request_timeout_seconds=10,
    )
    clock, listener = _QuickClock(), Listener()
    run = Run(lambda: settings, listener, clock)
    enterprise, organization = (Lifecycle(kind, run) for kind in OWNER_KINDS.values())
    return RunHarness(run, listener, {"enterprise": enterprise, "organization": organization}, CostCenterLifecycle(run))


def hostile_answers(rng: random.Random) -> list[str]:
    """Ask and tell a GitHub that answers anything."""
    wrong: list[str] = []
    outside: list[str] = []
    with Sandbox(clock=lambda: START) as sandbox, HostileServer(sandbox, rng, TOKEN) as server:
        stored = _fill(sandbox, rng)
        with _only_loopback(outside):
            for _ in range(5):
                wrong += _one_operation(rng, server.url, stored)
        wrong += [f"a cookie was sent back: {cookie!a}" for cookie in server.cookies[:1]]
        paths = [path for path in server.paths if not path.endswith(ELSEWHERE)]
        wrong += [f"{path!a} was asked for" for path in paths if not _ROUTES.fullmatch(path)]
    return wrong + [f"a connection to {host!a}" for host in outside]


def _fill(sandbox: Sandbox, rng: random.Random) -> list[tuple[Any, Stored]]:
    """Create some budgets and a cost center on a calm server, and return what the engine would keep."""
    calm = _desk(sandbox.url, sandbox.token)
    stored: list[tuple[Any, Stored]] = []
    for number, fields in enumerate(rng.sample(_budgets(sandbox), 3)):
        which = "enterprise" if "enterprise" in fields else "organization"
        checked = calm.budgets[which].check(f"urn::{number}", {}, fields, NONE)
        stored.append((which, calm.budgets[which].create(f"urn::{number}", checked.inputs)))
    checked = calm.cost_centers.check("urn::center", {}, _CENTER, NONE)
    return [*stored, ("center", calm.cost_centers.create("urn::center", checked.inputs))]


def _one_operation(rng: random.Random, url: str, stored: list[tuple[Any, Stored]]) -> list[str]:
    """Do one thing of all that the package does."""
    harness = _desk(url, TOKEN)
    which, entry = rng.choice(stored)
    lifecycle: Any = harness.cost_centers if which == "center" else harness.budgets[which]
    what = rng.choice(list(READS))
    fields = {**entry.inputs, "on_existing": rng.choice(ON_EXISTING)}
    fields |= {"name": rng.choice(["Apps", "New"])} if which == "center" else {}
    news = {"name": "Renamed", "users": ["monalisa"]} if which == "center" else {"budget_amount": 7}
    owners = [Owner(ENTERPRISE_OWNER, E), Owner(ORGANIZATION_OWNER, "octo-org")]
    operations: dict[str, Callable[[], Any]] = {
        what: lambda: READS[what](Reader(harness.run)),
        "check and create": lambda: lifecycle.create("urn::n", lifecycle.check("urn::n", {}, fields, NONE).inputs),
        "read": lambda: lifecycle.read(entry.id, entry.outputs),
        "update": lambda: lifecycle.update(entry.id, entry.outputs, {**entry.inputs, **news}),
        "delete": lambda: lifecycle.delete("urn::deleted", entry.id, entry.outputs),
        "doctor": lambda: list(examine(harness.run, owners)),
    }
    name = rng.choice([what, *operations])
    return _guard(name, harness, operations[name], is_text=name == "doctor")


def _guard(what: str, harness: RunHarness, work: Callable[[], Any], *, is_text: bool = False) -> list[str]:
    """Do one thing; every text that comes out of it must be fit to be shown, every value free of the token."""
    texts: list[str] = []
    result: Any = None
    try:
        result = work()
    except BillingError as error:
        texts.append(str(error))
    except Exception as error:  # noqa: BLE001 - whatever else leaves the package is the finding
        return [_raw(what, error)]
    texts += [*harness.listener.warnings, *harness.listener.statuses]
    if is_text:
        texts += [text for finding in result for text in (finding.subject, finding.text, finding.repair)]
    wrong = _judge_texts(what, texts)
    if any(form in repr(result) for form in spellings(TOKEN)):
        wrong.append(f"{what}: the result holds the token: {result!a:.300}")
    return wrong


def addresses(rng: random.Random) -> list[str]:
    """Give the provider an address that is made to mislead one of two parsers."""
    parts = ["http://", "https://", "api.github.com", "api.octo.ghe.com", "evil.example", "127.0.0.1", "localhost"]
    parts += [
        "[::1]",
        "::1",
        ":80",
        ":443",
        ":",
        "@",
        "/",
        "\\",
        "?",
        "#",
        ".",
        "..",
        "%00",
        "%2f",
        "%40",
        " ",
        "\t",
        "\n",
    ]
    parts += ["\u202e", "\uff0e", "\u3002", "[", "]", "user:pass", "http:", "//", ";", "0", "127.1", "\ud800", "\x00"]
    text = "".join(rng.choice(parts) for _ in range(rng.randint(1, 6)))
    if rng.random() < 0.6:
        base = rng.choice(["http://127.0.0.1:8080", "https://api.github.com", "http://localhost/x", "http://[::1]:9"])
        place = rng.randint(0, len(base))
        text = base[:place] + rng.choice(parts) + base[place:]
    try:
        settings = read_settings({"github-billing:token": TOKEN, "github-billing:baseUrl": text}.get, {})
    except ConfigError as error:
        return _judge_texts(f"the address {text!a}", [str(error)])
    except Exception as error:  # noqa: BLE001 - the finding
        return [_raw(f"the address {text!a}", error)]
    url = settings.base_url
    hosts = {urlsplit(url).hostname or "", (parse_url(url).host or "").strip("[]")}
    host = hosts.pop()
    if hosts or not (host in _LOOPBACK or host == "api.github.com" or _TENANT.fullmatch(host)):
        return [f"the address {text!a} is taken as {url!a}"]
    if host not in _LOOPBACK and urlsplit(url).scheme != "https":
        return [f"the address {text!a} is taken as {url!a}, which is not https"]
    return []


def settings(rng: random.Random) -> list[str]:
    """Give settings of every kind: they are taken whole, or refused in one sentence without the token."""
    names = ["token", "baseUrl", "writeIntervalSeconds", "writesPerMinute", "writesPerHour", "maxWaitSeconds"]
    names += ["requestTimeoutSeconds", "settleSeconds", "appId", "appPrivateKey", "credentials"]
    given = {f"github-billing:{name}": str(value(rng, TOKEN)) for name in names if rng.random() < 0.3}
    if rng.random() < 0.7:
        given["github-billing:token"] = TOKEN
    variables = ["GITHUB_API_URL", "GITHUB_TOKEN", "GITHUB_BILLING_TOKEN", "GITHUB_BILLING_CREDENTIALS"]
    variables += [f"GITHUB_BILLING_APP_{name}" for name in ("ID", "PRIVATE_KEY", "PRIVATE_KEY_FILE")]
    environ = {name: str(value(rng, TOKEN)) for name in variables if rng.random() < 0.2}
    try:
        read_settings(given.get, environ)
    except ConfigError as error:
        return _judge_texts("settings", [str(error)])
    except Exception as error:  # noqa: BLE001 - the finding
        return [_raw(f"the settings {given!a}", error)]
    return []


def ids(rng: random.Random) -> list[str]:
    """Use resource ids as a damaged state may hold them: an honest path is asked for, or none."""
    parts = ["enterprise", "organization", E, "octo-org", UUID, "/", "/", "..", ".", "%2e", "\\", " ", "\n", "?", "#"]
    parts += ["\ud800", "\u202e", "a" * 200, "\x00", "user", "@", ";"]
    id_ = "".join(rng.choice(parts) for _ in range(rng.randint(1, 7)))
    if rng.random() < 0.5:
        id_ = f"{rng.choice(['enterprise', 'organization'])}/{rng.choice(parts)}/{rng.choice(parts)}"
    id_ = value(rng) if rng.random() < 0.05 else id_
    wrong: list[str] = []
    with Sandbox(clock=lambda: START) as sandbox:
        harness = _desk(sandbox.url, sandbox.token)
        for lifecycle in (*harness.budgets.values(), harness.cost_centers):
            calls: dict[str, Callable[[Any], Any]] = {
                "read": lambda each: each.read(id_, {}),
                "refresh": lambda each: each.read(id_, {"budget_id": UUID, "budget_scope": "enterprise"}),
                "diff": lambda each: each.diff("urn::x", id_, {}, {}, NONE),
                "delete": lambda each: each.delete("urn::deleted", id_, {}),
            }
            for name, call in calls.items():
                wrong += _guard(f"{name} of {id_!a}", harness, partial(call, lifecycle))
        paths = [f"{request.method} {request.path}" for request in sandbox.requests]
    return wrong + [f"{path!a} was asked for by {id_!a}" for path in paths if not _ROUTES.fullmatch(path)]


def inputs(rng: random.Random) -> list[str]:
    """Check and diff budgets and cost centers whose inputs are anything, over stored ones that are anything."""
    base: dict[str, Any] = rng.choice([*_PLAIN, _CENTER])
    news = spoil(rng, {**base, "budget_alerting": {"will_alert": True, "alert_recipients": ["octocat"]}}, TOKEN)
    olds = spoil(rng, {**base, "budget_id": UUID}, TOKEN)
    if not isinstance(news, dict) or not isinstance(olds, dict):
        return []
    with Sandbox(clock=lambda: START) as sandbox:
        harness = _desk(sandbox.url, TOKEN)
        lifecycle: Any = harness.cost_centers
        if base is not _CENTER:
            lifecycle = harness.budgets["enterprise" if "enterprise" in base else "organization"]
        noun = "organization" if "organization" in base else "enterprise"
        slug = base[noun]

        def check() -> None:
            checked = lifecycle.check("urn::x", olds if rng.random() < 0.7 else {}, news, NONE)
            wrong.extend(_judge_texts("a problem", [f"{each.field} {each.reason}" for each in checked.problems]))
            sure = base if checked.problems else checked.inputs
            lifecycle.diff("urn::x", f"{noun}/{slug}/{UUID}", olds, sure, NONE)

        wrong: list[str] = []
        return [*_guard(f"check of {news!a:.300} over {olds!a:.300}", harness, check), *wrong]


def states(rng: random.Random) -> list[str]:
    """Read and update from a state that is damaged: one of our errors, and no write."""
    with Sandbox(clock=lambda: START) as sandbox:
        base: dict[str, Any] = rng.choice([*_budgets(sandbox), _CENTER])
        noun = "organization" if "organization" in base else "enterprise"
        harness = _desk(sandbox.url, sandbox.token)
        lifecycle: Any = harness.cost_centers if base is _CENTER else harness.budgets[noun]
        checked = lifecycle.check("urn::x", {}, base, NONE)
        stored = lifecycle.create("urn::x", checked.inputs)
        olds = spoil(rng, stored.outputs)
        if not isinstance(olds, dict):
            return []
        wrong = _guard(f"refresh of {olds!a:.300}", harness, lambda: lifecycle.read(stored.id, olds))
        call = lambda: lifecycle.update(stored.id, olds, stored.inputs)  # noqa: E731 - a name for the line below
        return wrong + _guard(f"update of {olds!a:.300}", harness, call)


def respelled(rng: random.Random) -> list[str]:
    """Declare a budget anew in other spellings of the same meaning: nothing differs, and nothing is sent."""
    with Sandbox(clock=lambda: START) as sandbox:
        fields = rng.choice(_budgets(sandbox))
        noun = "organization" if "organization" in fields else "enterprise"
        harness = _desk(sandbox.url, sandbox.token)
        lifecycle = harness.budgets[noun]
        first = lifecycle.check("urn::x", {}, fields, NONE)
        stored = lifecycle.create("urn::x", first.inputs)
        if rng.random() < 0.5:
            refreshed = _desk(sandbox.url, sandbox.token).budgets[noun].read(stored.id, stored.outputs)
            assert refreshed is not None
            stored = refreshed
        sandbox.forget_requests()
        later = _desk(sandbox.url, sandbox.token)
        other = _respell(rng, fields)
        checked = later.budgets[noun].check("urn::x", stored.inputs, other, NONE)
        if checked.problems:
            return [f"{other!a} is refused: {checked.problems}"]
        changed, _ = later.budgets[noun].diff("urn::x", stored.id, stored.outputs, checked.inputs, NONE)
        wrong = [f"{', '.join(changed)} differ between {fields!a} and {other!a}"] if changed else []
        return wrong + ([f"{len(sandbox.requests)} requests for {other!a}"] if sandbox.requests else [])


def _respell(rng: random.Random, fields: dict[str, Any]) -> dict[str, Any]:
    """Return the same budget in other words."""
    other = dict(fields)
    recase = rng.choice([str.upper, str.lower, str.title, str.swapcase])
    for name in ("enterprise", "organization", "user", "budget_entity_name"):
        if other.get(name) and rng.random() < 0.5:
            other[name] = recase(other[name])
        if other.get(name) and rng.random() < 0.2:
            other[name] = f" {other[name]} "
    amount = int(other["budget_amount"])
    other["budget_amount"] = rng.choice([amount, float(amount), str(amount)])
    other["budget_product_sku"] = _SAME_SKU.get(other["budget_product_sku"], other["budget_product_sku"])
    if rng.random() < 0.5:
        other["budget_type"] = pricing_type(fields["budget_product_sku"])
    if alerting := other.get("budget_alerting"):
        recipients = [recase(login) for login in alerting.get("alert_recipients", [])]
        rng.shuffle(recipients)
        other["budget_alerting"] = {**alerting, "alert_recipients": recipients + recipients[:1]}
    elif other.get("budget_scope") != "user" and rng.random() < 0.5:
        other["budget_alerting"] = {"will_alert": False}
    if day := other.get("expires_at"):
        other["expires_at"] = rng.choice([day[:10], f"{day[:10]}T00:00:00Z", f"{day[:10]}T00:00:00+00:00"])
    if rng.random() < 0.3:
        other["exclude_cost_center_usage"] = other.get("exclude_cost_center_usage") or None
    return other


ATTACKS: dict[str, Callable[[random.Random], list[str]]] = {
    "hostile answers": hostile_answers,
    "addresses": addresses,
    "settings": settings,
    "ids": ids,
    "inputs": inputs,
    "states": states,
    "respelled budgets": respelled,
}


def play(job: tuple[str, int]) -> tuple[str, int, list[str]]:
    """Play one round; return the attack, its seed and what went wrong."""
    name, seed = job
    try:
        return name, seed, ATTACKS[name](random.Random(f"{name} {seed}"))  # noqa: S311 - no secret depends on it
    except Exception as error:  # noqa: BLE001 - a round that cannot be played is a finding too
        return name, seed, [_raw("the round", error)]
