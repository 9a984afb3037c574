"""The names of a report's filters that cannot be right, for programs and for the command line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from billing_provider.core.errors import ConfigError
from billing_provider.reader import Reader
from billing_provider.usage import names
from tests.support.wire import WireServer, answer

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.harness import RunHarness

E = "octo-enterprise"
NOT_KNOWN = "no usage was found, and the name is not known"


@pytest.fixture
def reader(harness: RunHarness) -> Reader:
    return Reader(harness.run)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"product": "acton"}, f"product acton: {NOT_KNOWN}; did you mean actions?"),
        ({"product": "actoins", "month": 10}, f"product actoins: {NOT_KNOWN}; did you mean actions?"),
        ({"product": "zzz"}, f"product zzz: {NOT_KNOWN}; `billing-provider skus` lists the known names"),
        ({"sku": "actions_linus"}, f"sku actions_linus: {NOT_KNOWN}; did you mean actions_linux"),
        ({"product": "actions", "sku": "zzz"}, f"sku zzz: {NOT_KNOWN}; `billing-provider skus`"),
        ({"repository": "api"}, "repository api: no usage was found: write it as owner/name, such as octo-org/api"),
        ({"repository": "octo-org/api", "product": "packges"}, f"product packges: {NOT_KNOWN}; did you mean packages?"),
    ],
    ids=str,
)
def test_an_unknown_name_without_usage_is_an_error(given: dict[str, Any], words: str, reader: Reader) -> None:
    """A name that is not known and has no usage is an error with similar names, and no total of 0."""
    with pytest.raises(ConfigError) as caught:
        names.summary(reader, "usage/summary", **{"organization": "octo-org", "year": 2026, "month": 8, **given})
    assert str(caught.value).startswith(words)


@pytest.mark.parametrize("report", ["ai_credit/usage", "premium_request/usage"])
def test_an_unknown_product_of_a_report_by_model_is_an_error(report: Any, reader: Reader) -> None:
    """The reports by model have the same rule."""
    with pytest.raises(ConfigError, match=f"product Copliot: {NOT_KNOWN}; did you mean copilot"):
        names.summary(reader, report, enterprise=E, product="Copliot")
    assert names.summary(reader, report, enterprise=E, product="Copilot", month=8).usage_items


NO_LINES = answer(200, {"timePeriod": {"year": 2026, "month": 8}, "usageItems": []})
KNOWN: tuple[dict[str, Any], ...] = (
    {"product": "ghas"},
    {"sku": "ghas_licenses"},
    {"sku": "GHAS Licenses"},
    {"repository": "octo-org/quiet"},
    {},
)


@pytest.mark.parametrize("given", KNOWN, ids=str)
def test_a_known_name_without_usage_is_no_usage(given: dict[str, Any], new_run: Callable[..., RunHarness]) -> None:
    """A known name, in any spelling, whose report is empty has a total of 0."""
    with WireServer(NO_LINES) as server:
        reader = Reader(new_run(base_url=server.url).run)
        assert names.summary(reader, "usage/summary", enterprise=E, month=8, model=None, **given).net_amount == 0


LINE = {
    "product": "Quantum",
    "sku": "quantum_qubits",
    "unitType": "hours",
    "pricePerUnit": 1.0,
    **dict.fromkeys(("grossQuantity", "grossAmount", "netQuantity", "netAmount"), 7.0),
    **dict.fromkeys(("discountQuantity", "discountAmount"), 0.0),
}


@pytest.mark.parametrize("given", [{"product": "Quantum"}, {"sku": "quantum_qubits"}, {"repository": "lab"}], ids=str)
def test_a_name_with_usage_is_never_refused(given: dict[str, Any], new_run: Callable[..., RunHarness]) -> None:
    """A name that is newer than this package is accepted as soon as the report contains it."""
    with WireServer(answer(200, {"timePeriod": {"year": 2026, "month": 8}, "usageItems": [LINE]})) as server:
        reader = Reader(new_run(base_url=server.url).run)
        assert names.summary(reader, "usage/summary", enterprise=E, **given).net_amount == 7.0


def test_a_caller_names_its_own_inputs() -> None:
    """The command line shows the flag in place of the input."""
    with pytest.raises(ConfigError, match="--sku zzz: no usage was found"):
        names.check([], {"sku": "zzz"}, {"sku": "--sku"})


def test_a_repository_without_an_owner_has_a_name_only_if_its_owner_is_known() -> None:
    """The advice names the complete repository for the report of an organization or a user."""
    words = []
    for given in ({"enterprise": E}, {"enterprise": E, "organization": "octo-lab"}, {"user": "octocat"}):
        with pytest.raises(ConfigError) as caught:
            names.check([], {**given, "repository": "api"})
        words.append(str(caught.value).partition("write it as ")[2])
    assert words == ["owner/name", "owner/name, such as octo-lab/api", "owner/name, such as octocat/api"]
