"""Pictures of text: what each verb prints at several widths, kept in `tests/cli/pictures`; `make docs` writes them."""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import tempfile
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from billing_provider import cli
from billing_provider.core.clock import TEST_TIME
from billing_provider.sandbox import Sandbox
from tests.review.world import PLANS
from tests.support.clock import START

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WIDTHS = (60, 80, 120, 200)
FOLDER = Path(__file__).parents[1] / "cli" / "pictures"
E = "octo-enterprise"
_PORT = "54321"

QUIET = {"will_alert": False, "alert_recipients": []}
PLAIN = {"budget_type": "ProductPricing", "prevent_further_usage": False, "budget_alerting": QUIET}
CREDITS = {"budget_type": "BundlePricing", "budget_product_sku": "ai_credits", "budget_alerting": QUIET}
SKU = {"budget_type": "SkuPricing", "prevent_further_usage": True, "budget_alerting": QUIET}


def declare(sandbox: Sandbox) -> None:
    """Create a budget of each kind."""
    platform = sandbox.cost_centers()[0]["id"]
    alerting = {"will_alert": True, "alert_recipients": ["octocat"]}
    for fields in (
        {**PLAIN, "budget_scope": "enterprise", "budget_product_sku": "actions", "budget_amount": 100},
        {**SKU, "budget_scope": "enterprise", "budget_product_sku": "copilot_for_business", "budget_amount": 4},
        {**PLAIN, "budget_scope": "organization", "budget_entity_name": "octo-org", "budget_product_sku": "packages",
         "budget_amount": 2000, "budget_alerting": alerting},
        {**SKU, "budget_scope": "repository", "budget_entity_name": "octo-org/website",
         "budget_product_sku": "actions_linux", "budget_amount": 10},
        {**CREDITS, "budget_scope": "repository", "budget_entity_name": "octo-org/api", "budget_amount": 0,
         "prevent_further_usage": False},
        {**CREDITS, "budget_scope": "cost_center", "budget_entity_name": platform, "budget_amount": 0,
         "prevent_further_usage": False},
        {**CREDITS, "budget_scope": "multi_user_customer", "budget_amount": 10, "prevent_further_usage": True},
        {**CREDITS, "budget_scope": "user", "user": "hubot", "budget_amount": 10, "prevent_further_usage": True},
        {**CREDITS, "budget_scope": "enterprise", "budget_amount": 500, "prevent_further_usage": False,
         "exclude_cost_center_usage": True},
        {**PLAIN, "budget_scope": "enterprise", "budget_product_sku": "codespaces", "budget_amount": 10,
         "exclude_cost_center_usage": True},
    ):  # fmt: skip
        sandbox.add_budget("enterprise", E, **fields)


def _declared(sandbox: Sandbox) -> None:
    sandbox.switch("whole_month_counts")
    declare(sandbox)


def _one_quiet_budget(sandbox: Sandbox) -> None:
    fields = {"budget_scope": "organization", "budget_product_sku": "actions", "budget_amount": 10_000}
    sandbox.add_budget("organization", "octo-org", **PLAIN, **fields)


def _wide_names(sandbox: Sandbox) -> None:
    sandbox.rename_cost_center("Platform", "データ基盤とプラットフォームの開発チーム")
    sandbox.rename_cost_center("Data", "Données, analyses et apprentissage automatique 🚀")
    declare(sandbox)


def _nothing(_: Sandbox) -> None:
    """Leave the sample data as it is."""


class Scene(NamedTuple):
    """One call of a verb, and what it finds."""

    command: str
    arrange: Callable[[Sandbox], Any] = _nothing


SCENES = {
    "audit": Scene(f"audit --enterprise {E} --skip alerts", _declared),
    "audit-empty": Scene("audit --org octo-lab"),
    "budgets": Scene(f"budgets --enterprise {E}", _declared),
    "budgets-empty": Scene("budgets --org octo-org"),
    "budgets-wide-names": Scene(f"budgets --enterprise {E} --scope cost_center", _wide_names),
    "cost-center": Scene(f"cost-centers Platform --enterprise {E}"),
    "cost-centers": Scene(f"cost-centers --enterprise {E}"),
    "cost-centers-empty": Scene(f"cost-centers --enterprise {E} --state deleted"),
    "cost-centers-wide-names": Scene(f"cost-centers --enterprise {E}", _wide_names),
    "doctor": Scene(f"doctor --enterprise {E} --org unknown-organization"),
    "forecast": Scene(f"budgets --forecast --enterprise {E}", _declared),
    "forecast-empty": Scene(f"budgets --forecast --enterprise {E}"),
    "forecast-markdown": Scene(f"budgets --forecast --enterprise {E} --markdown", _declared),
    "forecast-nobody": Scene("budgets --forecast --org octo-org", _one_quiet_budget),
    "forecast-all": Scene(f"budgets --forecast --enterprise {E} --all", _declared),
    "review": Scene("review plan.json"),
    "sandbox-faults": Scene("sandbox --list-faults"),
    "sandbox-quirks": Scene("sandbox --list-quirks"),
    "skus": Scene("skus --near actions_linux_4core"),
    "skus-empty": Scene("skus --near nothing_like_it"),
    "unmanaged": Scene("unmanaged --org octo-org", _one_quiet_budget),
    "unmanaged-empty": Scene("unmanaged --org octo-lab"),
    "usage": Scene(f"usage --enterprise {E}"),
    "usage-empty": Scene("usage --org octo-org --product ghec"),
    "usage-grouped": Scene(
        f"usage --enterprise {E} --report daily --month 8 --day 3 --all-cost-centers "
        "--by date organization repository cost-center"
    ),
    "usage-month": Scene(
        f"usage --enterprise {E} --month 8 --report daily --all-cost-centers --by cost-center product"
    ),
    "usage-models": Scene("usage --org octo-org --report ai-credit --by model"),
}


def picture(name: str, width: int) -> str:
    """Return the output of one scene at one width, on a fixed day."""
    scene = SCENES[name]
    output = io.StringIO()
    with _served(width) as (sandbox, _), contextlib.redirect_stdout(output):
        scene.arrange(sandbox)
        cli.main([str(PLANS / "document.json") if word == "plan.json" else word for word in shlex.split(scene.command)])
        port = sandbox.url.split(":")[2].partition("/")[0]
    return output.getvalue().replace(port, _PORT)


def preview(before: str, after: str, width: int) -> str:
    """Return the preview of a program after another one was brought up, with the lines wrapped as by a terminal."""
    output = io.StringIO()
    with _served(width) as (_, patch), tempfile.TemporaryDirectory() as folder:
        patch.chdir(folder)
        Path("Pulumi.yaml").write_text("name: budgets\nruntime: python\n")
        for verb, program in (("up", before), ("preview", after)):
            Path("__main__.py").write_text(program)
            output.truncate(output.seek(0))
            with contextlib.redirect_stdout(output), contextlib.redirect_stderr(io.StringIO()):
                cli.main(["try", verb])
    # What precedes it names the sandbox's port, and what follows counts the resources.
    (shown,) = re.findall(r"^Previewing.*?(?=\n\nResources)", output.getvalue(), re.DOTALL | re.MULTILINE)
    return "\n".join(each for line in shown.splitlines() for each in _wrapped(line, width))


def _wrapped(line: str, width: int) -> list[str]:
    """Return a line in lines of at most so many characters, the further ones indented by two more spaces."""
    indent = " " * (len(line) - len(line.lstrip()) + 2)
    return textwrap.wrap(line, width, subsequent_indent=indent, break_on_hyphens=False) or [""]


@contextlib.contextmanager
def _served(width: int) -> Iterator[tuple[Sandbox, pytest.MonkeyPatch]]:
    """Serve a sandbox that the environment names, on a fixed day and a terminal of this width."""
    with Sandbox(clock=lambda: START) as sandbox, pytest.MonkeyPatch.context() as patch:
        patch.setenv(TEST_TIME, "2026-09-21T14:13:20Z")
        patch.setenv("GITHUB_API_URL", sandbox.url)
        patch.setenv("GITHUB_BILLING_TOKEN", sandbox.token)
        patch.setenv("COLUMNS", str(width))
        yield sandbox, patch


def pictures(name: str) -> str:
    """Return the pictures of one scene at all widths, as its file holds them."""
    command = SCENES[name].command
    return "\n".join(f"$ COLUMNS={width} billing-provider {command}\n{picture(name, width)}" for width in WIDTHS)


def write() -> None:
    """Write the files of all scenes."""
    FOLDER.mkdir(exist_ok=True)
    for name in SCENES:
        (FOLDER / f"{name}.txt").write_text(pictures(name))
