"""Public functions with hostile arguments and responses return a result or raise a billing error."""

from __future__ import annotations

import copy
import inspect
import json
import math
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import billing_provider
from billing_provider.core.clock import Clock
from billing_provider.core.errors import BillingError, ConfigError, OutcomeError, TransportError
from billing_provider.reader import Reader
from billing_provider.sandbox import Sandbox
from billing_provider.sdk import invoke
from billing_provider.usage.models import TimePeriod
from tests.support.clock import VirtualClock
from tests.support.harness import open_harness
from tests.support.wire import WireServer, answer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support.harness import RunHarness

E = "octo-enterprise"
AUGUST: dict[str, Any] = {"year": 2026, "month": 8}
DAYS = {"start_date": "2026-08-01", "end_date": "2026-08-31"}
FUNCTIONS = {
    name: getattr(billing_provider, name)
    for name in billing_provider.__all__
    if inspect.isfunction(getattr(billing_provider, name)) and not name.endswith("_output")
}
RIGHT: dict[str, dict[str, Any]] = {
    "get_ai_credit_usage": {"enterprise": E, **AUGUST},
    "get_budget": {"enterprise": E, "budget_id": "1"},
    "get_budgets": {"organization": "octo-org"},
    "get_cost_center": {"enterprise": E, "cost_center": "Platform"},
    "get_cost_centers": {"enterprise": E},
    "get_effective_budget": {"enterprise": E, "user": "hubot"},
    "get_enterprise_team_members": {"enterprise": E, "enterprise_team": "developers"},
    "get_premium_request_usage": {"user": "octocat", **AUGUST},
    "get_usage": {"enterprise": E, "all_cost_centers": True, **AUGUST},
    "get_usage_report_export": {"enterprise": E, "report_id": "1"},
    "get_usage_report_exports": {"enterprise": E},
    "get_usage_report_rows": {"enterprise": E, "report_type": "detailed", **DAYS},
    "get_usage_summary": {"organization": "octo-org", **AUGUST},
    "get_user_states": {"enterprise": E, "budget_id": "1"},
    "product_identifier": {"name": "Actions"},
    "sku_identifier": {"name": "Actions Linux"},
}
ODD: list[Any] = [
    *(5, -1, 0, 10**30, 99_999_999_999, True, 1.5, math.nan, math.inf, -0.0, b"x"),
    *("", "..", "a/b", "\ud800", "\0", "x" * 1000, "2026", "\u0130\u0131", [], ["x"], {}, {"a": 1}, object()),
]
TEXTS = ["", "x", "\ud800", "../..", "http://[", "\x1b[2J", "9" * 400, "2026-99-99", "processing", "completed"]
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.sampled_from(TEXTS), st.just([]), st.just({})
) | st.sampled_from([10**400, 1e308, -(10**30), [[]], {"": None}])


@pytest.fixture(autouse=True)
def settings_of_the_program(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """The functions ask the sandbox, as those of a new program do."""
    monkeypatch.setattr(invoke, "_PROGRAM", invoke._Program())
    monkeypatch.setattr(Clock, "sleep", lambda _clock, _seconds: None)
    monkeypatch.setenv("GITHUB_API_URL", sandbox.url)
    monkeypatch.setenv("GITHUB_TOKEN", sandbox.token)


def refusal(call: Callable[[], Any]) -> str:
    """Return what a call's billing error says, or nothing."""
    try:
        call()
    except BillingError as error:
        return str(error)
    return ""


def test_every_public_function_has_valid_arguments() -> None:
    """The table of valid arguments contains every public function."""
    assert set(RIGHT) == set(FUNCTIONS)


@pytest.mark.parametrize(
    ("name", "argument"),
    [(name, argument) for name, function in FUNCTIONS.items() for argument in inspect.signature(function).parameters],
)
def test_a_hostile_argument_is_a_billing_error(name: str, argument: str) -> None:
    """Wrong types, odd numbers, surrogates and path parts return a result or a short billing error."""
    for value in ODD:
        said = refusal(lambda value=value: FUNCTIONS[name](**{**RIGHT[name], argument: value}))  # type: ignore[misc]
        assert len(said) < 1000


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("get_usage", {"year": 99_999_999_999}, "this date does not exist"),
        ("get_usage", {"year": 0}, "this date does not exist"),
        ("get_usage", {"month": 0}, "this date does not exist"),
        ("get_usage", {"month": 13}, "this date does not exist"),
        ("get_usage", {"day": 0}, "this date does not exist"),
        ("get_usage", {"month": True}, "month: write a whole number"),
        ("get_usage", {"cost_center": ["x"], "all_cost_centers": False}, "cost_center: write a text"),
        ("get_usage", {"all_cost_centers": "yes"}, "all_cost_centers: write True or False"),
        ("get_usage_summary", {"sku": "\ud800"}, "sku: write a text"),
        ("get_usage_summary", {"organization": 5}, "organization: write a slug or login"),
        ("get_budgets", {"scope": "x" * 256}, "scope: write a text of at most 255"),
        ("get_budget", {"budget_id": ".."}, "budget_id: write an id"),
        ("get_effective_budget", {"user": None}, "user: write a text"),
        ("get_user_states", {"threshold_lower_bound": math.nan}, "threshold_lower_bound: write a whole number"),
        ("get_user_states", {"rising": "no"}, "rising: write True or False"),
        ("get_usage_report_export", {"report_id": "a/b"}, "report_id: write an id"),
        ("get_usage_report_rows", {"start_date": 5}, "start_date: write a date such as 2026-01-31"),
        ("sku_identifier", {"name": None}, "name: write a text"),
        ("product_identifier", {"name": 5}, "name: write a text"),
    ],
    ids=str,
)
def test_an_invalid_argument_is_named(sandbox: Sandbox, name: str, change: dict[str, Any], words: str) -> None:
    """The message names the argument and the correction, and nothing is sent."""
    with pytest.raises(ConfigError, match=words):
        FUNCTIONS[name](**{**RIGHT[name], **change})
    assert sandbox.requests == []


def test_whole_numbers_may_be_floats(sandbox: Sandbox) -> None:
    """Numbers of a configuration or an Output are floats and are accepted."""
    budget_id = sandbox.add_budget("enterprise", E, budget_scope="multi_user_customer", budget_product_sku="ai_credits")
    given = {"enterprise": E, "budget_id": budget_id["id"], "threshold_lower_bound": 5.0}
    assert FUNCTIONS["get_user_states"](**given) == []
    assert sandbox.requests[-1].query["threshold_lower_bound"] == "5"


def test_last_day_of_the_last_month_of_the_calendar() -> None:
    """The last day of December 9999 is found without computing the following day."""
    assert str(TimePeriod(9999, 12).last()) == "9999-12-31"
    assert str(TimePeriod(2028, 2).last()) == "2028-02-29"


READS: dict[str, Callable[[Reader], Any]] = {
    "usage": lambda reader: reader.usage(enterprise=E, **AUGUST),
    "summary": lambda reader: reader.summary("usage/summary", organization="octo-org", **AUGUST),
    "AI credits": lambda reader: reader.summary("ai_credit/usage", enterprise=E, **AUGUST),
    "cost centers": lambda reader: reader.cost_centers(enterprise=E),
    "budgets": lambda reader: reader.budgets(enterprise=E),
    "effective budget": lambda reader: reader.effective_budget(enterprise=E, user="hubot"),
    "user states": lambda reader: reader.user_states(enterprise=E, budget_id="1"),
    "exports": lambda reader: reader.report_exports(enterprise=E),
    "rows": lambda reader: reader.report_rows(enterprise=E, report_type="detailed", **DAYS),
}
EXPORT = {"id": "1", "report_type": "detailed", **DAYS, "status": "completed", "created_at": "2026-09-21T01:00:00Z"}
BODIES: dict[str, Any] = {
    "exports": {"usage_report_exports": [EXPORT]},
    "rows": {"usage_report_exports": [EXPORT]},
    "user states": {
        "user_states": [{"user": "hubot", "consumed_amount": 1.0, "target_amount": 2.0}],
        "has_next_page": False,
    },
}


@pytest.fixture(scope="module")
def honest() -> Iterator[dict[str, Any]]:
    """The honest answer to each read."""
    with Sandbox(clock=VirtualClock().wall) as sandbox:
        sandbox.add_budget("enterprise", E, budget_amount=500)
        bodies = dict(BODIES)
        transport = open_harness(sandbox).run.transport
        for name, path in {
            "usage": f"/enterprises/{E}/settings/billing/usage?year=2026&month=8",
            "summary": "/organizations/octo-org/settings/billing/usage/summary?year=2026&month=8",
            "AI credits": f"/enterprises/{E}/settings/billing/ai_credit/usage?year=2026&month=8",
            "cost centers": f"/enterprises/{E}/settings/billing/cost-centers",
            "budgets": f"/enterprises/{E}/settings/billing/budgets",
            "effective budget": f"/enterprises/{E}/settings/billing/budgets?user=hubot",
        }.items():
            bodies[name] = transport.request("GET", path, action="read").data
        yield bodies


def places(body: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the paths to every value of a body, of a list's first entry only."""
    inner = body.items() if isinstance(body, dict) else enumerate(body[:1]) if isinstance(body, list) else ()
    return [path, *(place for key, value in inner for place in places(value, (*path, key)))]


def changed(body: Any, path: tuple[Any, ...], value: Any) -> Any:
    """Return a body with another value at a place."""
    if not path:
        return value
    whole = copy.deepcopy(body)
    part = whole
    for key in path[:-1]:
        part = part[key]
    part[path[-1]] = value
    return whole


@pytest.mark.parametrize("name", READS)
def test_a_hostile_response_is_a_billing_error(name: str, honest: dict[str, Any]) -> None:
    """Any value in any field of a response returns a result or a short, printable billing error."""

    @given(data=st.data())
    def walk(data: st.DataObject) -> None:
        # Pages without an end have tests of their own.
        fields = [path for path in places(honest[name]) if path[-1:] != ("has_next_page",)]
        place = data.draw(st.sampled_from(fields))
        body = changed(honest[name], place, data.draw(LEAVES))
        with (
            WireServer(answer(200, json.dumps(body).encode())) as server,
            Sandbox(clock=VirtualClock().wall) as sandbox,
        ):
            run = open_harness(sandbox, base_url=server.url).run
            said = refusal(lambda: READS[name](Reader(run)))
        assert said.isprintable()
        assert len(said) < 1000

    walk()


@pytest.mark.parametrize("created_at", ["yesterday", "2026-99-99", "", "9999999999", "2026-9-21"])
def test_an_export_with_an_invalid_time_is_not_reused(created_at: str, harness: RunHarness) -> None:
    """An export whose creation time is invalid is not reused, and a new one is requested."""
    listed = answer(200, {"usage_report_exports": [{**EXPORT, "created_at": created_at}]})
    with WireServer(listed, answer(202, {**EXPORT, "id": "2", "status": "failed"})) as server:
        reader = Reader(open_harness(harness.sandbox, base_url=server.url).run)
        with pytest.raises(OutcomeError, match="the export ended with the status failed"):
            READS["rows"](reader)
        assert [heard.partition(" ")[0] for heard in server.heard] == ["GET", "POST"]


@pytest.mark.parametrize(
    "file",
    ["a,b\n1," + "x" * 131_073 + "\n", "a,b\n1,2\r3,4\n", "a,b\n1\n", "a,b\n1,2,3\n", 'a,b\n1,"2\n', 'a,b\n"1"x,2\n'],
    ids=["long field", "bare CR", "short row", "long row", "cut", "quote"],
)
def test_an_invalid_csv_file_is_an_error(file: str, sandbox: Sandbox) -> None:
    """Rows that do not match the columns, unclosed fields and odd line breaks are errors."""
    with WireServer() as server:
        link = {**EXPORT, "download_urls": [f"{server.url}/part"]}
        server.replies = [answer(200, {"usage_report_exports": [link]}), answer(200, file, content_type="text/csv")]
        with pytest.raises(TransportError, match=r"fetch the detailed report .*: the file is not a valid table"):
            READS["rows"](Reader(open_harness(sandbox, base_url=server.url).run))
