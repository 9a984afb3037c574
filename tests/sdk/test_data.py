"""The data functions in both of Pulumi's conventions, in programs under mocks and on a real socket."""

from __future__ import annotations

import dataclasses
import inspect
import pydoc
import re
import sys
from typing import TYPE_CHECKING, Any

import pulumi
import pytest
from pulumi.runtime import settings as pulumi_settings

import billing_provider
from billing_provider import BillingError, get_usage, get_usage_output, get_usage_summary, get_usage_summary_output
from billing_provider.core.clock import Clock
from billing_provider.core.errors import ApiError, ConfigError, NotFoundError
from billing_provider.sandbox import Sandbox
from billing_provider.sdk import budget_functions, cost_center_functions, invoke, usage_functions
from tests.support import mocked
from tests.support.clock import START
from tests.support.plugin import FakeEngine

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

E = "octo-enterprise"
CREDITS = {
    "budget_type": "BundlePricing",
    "budget_product_sku": "ai_credits",
    "budget_amount": 10,
    "prevent_further_usage": True,
    "budget_alerting": {"will_alert": False, "alert_recipients": []},
}
MODULES = (usage_functions, budget_functions, cost_center_functions)
NAMES = sorted(
    name for module in MODULES for name in vars(module) if name.startswith("get_") and not name.endswith("_output")
)


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """A sandbox that the environment points at, on a day that is the same for ever."""
    monkeypatch.setattr(Clock, "wall", lambda _clock: START)
    monkeypatch.setattr(Clock, "sleep", lambda _clock, _seconds: None)
    with Sandbox(clock=lambda: START) as sandbox:
        monkeypatch.setenv("GITHUB_API_URL", sandbox.url)
        monkeypatch.setenv("GITHUB_BILLING_TOKEN", sandbox.token)
        yield sandbox


@pytest.fixture
def arguments(served: Sandbox) -> dict[str, dict[str, Any]]:
    """Arguments for every function."""
    budget = served.add_budget("enterprise", E, **CREDITS, budget_scope="multi_user_customer")["id"]
    days: dict[str, Any] = {"report_type": "detailed", "start_date": "2026-09-01", "end_date": "2026-09-02"}
    # The first rows of the report ask for the export that the function for one export needs.
    usage_functions.get_usage_report_rows(enterprise=E, **days)
    (export,) = usage_functions.get_usage_report_exports(enterprise=E)
    whole: dict[str, Any] = {"enterprise": E, "year": 2026, "month": 8}
    return {
        "get_usage": {**whole, "all_cost_centers": True},
        "get_usage_summary": {**whole, "organization": "octo-org", "product": "actions"},
        "get_premium_request_usage": {**whole, "cost_center": "Platform"},
        "get_ai_credit_usage": {**whole, "user": "hubot", "model": "GPT-5"},
        "get_budgets": {"enterprise": E, "scope": "multi_user_customer"},
        "get_budget": {"enterprise": E, "budget_id": budget},
        "get_effective_budget": {"enterprise": E, "user": "hubot"},
        "get_user_states": {"enterprise": E, "budget_id": budget, "rising": True},
        "get_cost_centers": {"enterprise": E, "state": "active"},
        "get_cost_center": {"enterprise": E, "cost_center": "Data"},
        "get_enterprise_team_members": {"enterprise": E, "enterprise_team": "ent:developers"},
        "get_usage_report_exports": {"enterprise": E},
        "get_usage_report_export": {"enterprise": E, "report_id": export.id},
        "get_usage_report_rows": {"enterprise": E, **days},
    }


def run(program_: Callable[[], dict[str, Any]], config: dict[str, str] | None = None) -> dict[str, Any]:
    """Run a program under mocks and return the values of the Outputs that it returns."""
    return mocked.run(program_, config=config).exports


def function(name: str) -> Callable[..., Any]:
    found: Callable[..., Any] = getattr(billing_provider, name)
    return found


def test_both_conventions_answer_the_same(served: Sandbox, arguments: dict[str, dict[str, Any]]) -> None:
    """Under mocks every function gives what it gives as an Output, from plain values and from Outputs; asked once."""
    assert sorted(arguments) == NAMES
    found: dict[str, Any] = {}

    def both() -> dict[str, Any]:
        served.forget_requests()
        for name, given in arguments.items():
            found[name] = function(name)(**given)
        asked = len(served.requests)
        later = {}
        for name, given in arguments.items():
            later[name] = function(f"{name}_output")(**{key: pulumi.Output.from_input(given[key]) for key in given})
            later[f"{name} plain"] = function(f"{name}_output")(**given)
        found["asked"] = asked
        return later

    exports = run(both)
    asked = found.pop("asked")
    assert len(served.requests) == asked
    for name, answer in found.items():
        assert exports[name] == exports[f"{name} plain"] == answer, name
        first = answer[0] if isinstance(answer, list) and answer else answer
        assert dataclasses.is_dataclass(first) or isinstance(first, (dict, str)) or answer == [], name


@pytest.mark.parametrize("name", NAMES)
def test_both_conventions_have_the_same_arguments(name: str) -> None:
    """The variant with Inputs takes Inputs of what the plain one takes, with the same defaults."""
    plain, later = (inspect.signature(function(each)) for each in (name, f"{name}_output"))
    assert list(plain.parameters) == list(later.parameters)
    for parameter in plain.parameters.values():
        assert parameter.kind is inspect.Parameter.KEYWORD_ONLY
        as_input = re.sub(r"^(\w+)", r"pulumi.Input[\1]", parameter.annotation)
        assert later.parameters[parameter.name] == parameter.replace(annotation=as_input)
    assert later.return_annotation == f"pulumi.Output[{plain.return_annotation}]"
    assert f"`{name}`" in (inspect.getdoc(function(f"{name}_output")) or "")
    shown = pydoc.plain(pydoc.render_doc(function(f"{name}_output")))
    assert shown.startswith(f"Python Library Documentation: function {name}_output in module ")
    assert [each for each in later.parameters if f"{each}: " not in shown] == []


@pytest.mark.parametrize("name", [*NAMES, *(f"{name}_output" for name in NAMES)])
def test_a_wrong_argument_is_an_error_of_the_call(name: str) -> None:
    """A name that is misspelt, an argument that is missing, and one without its name are errors of the call itself."""
    called: Any = function(name)
    required = [each.name for each in inspect.signature(called).parameters.values() if each.default is each.empty]
    for given, values in (({"enterprize": E}, ()), ({}, ("acme",)), *([({}, ())] if required else [])):
        with pytest.raises(TypeError, match=rf"^{name}\(\) "):
            called(*values, **given)


@pytest.mark.parametrize("name", NAMES)
def test_a_function_has_no_variables_besides_its_arguments(name: str) -> None:
    """A function passes on `locals()`, which are then exactly its arguments."""
    assert list(function(name).__code__.co_varnames) == list(inspect.signature(function(name)).parameters)


def test_results_are_plain_outputs(served: Sandbox) -> None:
    """A result has its fields, and single fields can be taken from its Output."""
    assert served.url

    def program_() -> dict[str, Any]:
        usage = get_usage_summary_output(organization="octo-org", month=8)
        return {"net": usage.net_amount, "first": usage.usage_items[0].sku, "all": usage}

    exports = run(program_)
    usage = get_usage_summary(organization="octo-org", month=8)
    assert exports["net"] == usage.net_amount
    assert exports["first"] == usage.usage_items[0].sku
    assert exports["all"].time_period.month == 8


def test_an_unknown_argument_is_an_unknown_answer(served: Sandbox) -> None:
    """In a preview nothing is asked while an argument is not known."""
    unknown: Any = pulumi.Output.from_input(pulumi.UNKNOWN)

    assert run(lambda: {"usage": get_usage_output(organization=unknown)}) == {}
    assert served.requests == []


def test_a_preview_asks_for_no_export(served: Sandbox) -> None:
    """In a preview the rows of a report are unknown as an Output and an error otherwise; an update has them."""
    days: dict[str, Any] = {
        "enterprise": E,
        "report_type": "detailed",
        "start_date": "2026-09-01",
        "end_date": "2026-09-02",
    }
    refused: list[str] = []
    brief: list[bool] = []

    def program_() -> dict[str, Any]:
        try:
            usage_functions.get_usage_report_rows(**days)
        except ConfigError as error:
            refused.append(str(error))
            brief.append(isinstance(error, pulumi.RunError))
        rows = usage_functions.get_usage_report_rows_output(**days)
        return {"rows": rows, "first": rows[0]["product"]}

    assert mocked.run(program_, preview=True).exports == {}
    assert served.requests == []
    (text,) = refused
    assert "a preview writes nothing, so no export is asked for. Use get_usage_report_rows_output" in text
    assert mocked.run(program_).exports["rows"] == usage_functions.get_usage_report_rows(**days)
    assert len(served.writes) == 1
    assert (len(refused), brief) == (1, [True])


def test_each_program_run_asks_anew(served: Sandbox) -> None:
    """A process can run several programs; what one was told is not told to the next. Failures are never remembered."""
    for number in (1, 2):
        run(lambda: {"first": get_usage(organization="octo-org"), "again": get_usage(organization="octo-org")})
        assert len(served.requests) == number
    served.plan([{"path": "*/usage", "action": "404"}])
    with pytest.raises(BillingError, match="404"):
        get_usage(organization="octo-lab")
    assert get_usage(organization="octo-lab").usage_items


@pytest.mark.usefixtures("served")
@pytest.mark.parametrize("convention", ["get_budget", "get_budget_output"])
def test_an_error_is_shown_without_a_traceback(convention: str) -> None:
    """An error keeps its class and its attributes, and is a `RunError`, of which Pulumi shows the message only."""
    with pytest.raises(pulumi.RunError, match="read budget none of enterprise octo-enterprise: ") as failed:
        run(lambda: {"budget": function(convention)(enterprise=E, budget_id="none")})
    error: BaseException = failed.value
    assert type(error).__mro__[:3] == (type(error), NotFoundError, ApiError)
    assert isinstance(error, NotFoundError)
    assert (type(error).__name__, error.status, error.message) == ("NotFoundError", 404, "Not Found")
    assert error.__suppress_context__
    assert getattr(sys, "tracebacklimit", None) is None


UNKNOWN_NAMES: dict[str, tuple[dict[str, Any], str]] = {
    "get_usage_summary": ({"sku": "actions_linus"}, "sku actions_linus: .* did you mean actions_linux"),
    "get_premium_request_usage": ({"product": "Copliot"}, r"product Copliot: .* did you mean copilot\?"),
    "get_ai_credit_usage": ({"product": "zzz"}, "product zzz: .* `billing-provider skus` lists the known names"),
}


@pytest.mark.usefixtures("served")
@pytest.mark.parametrize("name", UNKNOWN_NAMES)
@pytest.mark.parametrize("convention", ["{}", "{}_output"])
def test_an_unknown_name_is_no_total_of_0(convention: str, name: str) -> None:
    """A product or SKU that does not exist is an error with similar names, from which no cap is computed."""
    given, words = UNKNOWN_NAMES[name]
    with pytest.raises(pulumi.RunError, match=words) as failed:
        run(lambda: {"usage": function(convention.format(name))(enterprise=E, year=2026, month=8, **given)})
    assert isinstance(failed.value, ConfigError)


def test_the_configuration_goes_before_the_environment(served: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Token and address are those of the stack, as for the provider."""
    monkeypatch.setenv("GITHUB_API_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("GITHUB_BILLING_TOKEN", "sandbox-expired")
    config = {"github-billing:token": served.token, "github-billing:baseUrl": served.url}

    def program_() -> dict[str, Any]:
        return {"spent": get_usage_summary(organization="octo-org").net_amount}

    assert run(program_, config)["spent"] is not None


def test_a_program_speaks_through_the_engine(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Progress is a passing line and a warning stays; without an engine only the warning is heard."""
    reporter = invoke.ProgramLog()
    engine = FakeEngine()
    try:
        monkeypatch.setattr(pulumi_settings, "SETTINGS", pulumi_settings.Settings("p", "s", engine=engine.address))
        reporter.status("reading Authorization: Bearer abcdef")
        reporter.warn("look\nhere\u202e")
        assert [(line.severity, line.text, line.ephemeral) for line in engine.lines] == [
            ("INFO", "reading Authorization: [secret]", True),
            ("WARNING", "look here", False),
        ]
        monkeypatch.setattr(pulumi_settings, "SETTINGS", pulumi_settings.Settings("p", "s"))
        reporter.status("reading")
        reporter.warn("look\nhere\u202e")
        assert capsys.readouterr().err == "warning: look here\n"
    finally:
        engine.stop()
