"""One program before and after a pull request, with a change of each kind, and plans that are made by hand."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from billing_provider.core.resource import SECRET_INPUTS

if TYPE_CHECKING:
    from billing_provider.sandbox import Sandbox

PLANS = Path(__file__).parent / "plans"
E, ORG = "octo-enterprise", "octo-org"
TYPE = "pulumi-python:dynamic/github-billing:"
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "[secret]"}

PROGRAM = """
import pulumi
from billing_provider import CostCenter, EnterpriseBudget, OrgBudget

later = LATER
E, ORG = "octo-enterprise", "octo-org"
alerts = {"will_alert": True, "alert_recipients": ["octocat"]}
nobody = {"will_alert": False, "alert_recipients": []}


def cap(name, sku, amount, hard=True, alerting=alerts, opts=None, **more):
    more = {"enterprise": E, **more}
    if more.get("budget_scope") != "user":
        more["budget_alerting"] = alerting
    if "organization" in more:
        del more["enterprise"]
    kind = OrgBudget if "organization" in more else EnterpriseBudget
    more |= {"budget_product_sku": sku, "budget_amount": amount, "prevent_further_usage": hard}
    return kind(name, opts=opts, **more)


cap("raised", "actions", 900 if later else 500)
cap("lowered", "packages", 50 if later else 100)
cap("loosened", "codespaces", 100, hard=not later, alerting=nobody if later else alerts)
cap("same", "git_lfs", 7, hard=False)
cap("replaced", "actions_windows" if later else "actions_linux", 30)
cap("secret", "actions", pulumi.Output.secret(444 if later else 333), budget_scope="organization",
    budget_entity_name=ORG)
cap("person", "ai_credits", 10, budget_scope="user", user="octocat", expires_at="2027-06-30" if later else None)
cap("kept", "packages", 12, budget_scope="organization", budget_entity_name="octo-lab",
    on_delete="keep") if not later else None
cap("retained", "actions", 9, organization="octo-lab",
    opts=pulumi.ResourceOptions(retain_on_delete=True)) if not later else None
cap("after" if later else "before", "ghas", 60)
team = CostCenter("team", enterprise=E, name="Team", users=["octocat"] if later else ["octocat", "monalisa"])
if later:
    cap("adopted", "actions", 70, organization=ORG)
    cap("blocking", "codespaces", 0, organization=ORG)
    crew = CostCenter("crew", enterprise=E, name="Crew", users=["hubot"])
    cap("unknown", "actions", 11, budget_scope="cost_center", budget_entity_name=crew.cost_center_id)
else:
    cap("removed", "packages", 20, organization=ORG)
    cap("quiet", "sandbox", 5, hard=False)
"""
"""The program; `LATER` is False before the pull request, and True with it."""


def program(*, later: bool) -> str:
    """Return the program before or with the pull request."""
    return PROGRAM.replace("LATER", str(later))


def arrange(sandbox: Sandbox) -> None:
    """Make by hand the budget that the pull request adopts."""
    alerting = {"will_alert": True, "alert_recipients": ["octocat"]}
    fields = {"budget_scope": "organization", "budget_product_sku": "actions", "budget_amount": 70}
    sandbox.add_budget("organization", ORG, **fields, prevent_further_usage=True, budget_alerting=alerting)


HARD: dict[str, Any] = {
    "enterprise": E,
    "budget_amount": 100,
    "budget_product_sku": "actions",
    "budget_type": "ProductPricing",
    "budget_scope": "enterprise",
    "budget_entity_name": "",
    "prevent_further_usage": True,
    "budget_alerting": {"will_alert": True, "alert_recipients": ["octocat"]},
}
"""The inputs of a budget."""


def urn(name: str = "b", resource: str = "EnterpriseBudget", project: str = "shop") -> str:
    """Return the URN of a resource."""
    return f"urn:pulumi:dev::{project}::{TYPE}{resource}::{name}"


def step(op: str, old: dict[str, Any] | None = None, new: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """Return a step of a document; `name`, `resource`, `state` (outputs) and `retained` describe the resource."""
    found: dict[str, Any] = {"op": op, "urn": urn(more.get("name", "b"), more.get("resource", "EnterpriseBudget"))}
    if old is not None:
        found["oldState"] = {"id": "enterprise/x/1", "inputs": old, "outputs": {**old, **more.get("state", {})}}
        found["oldState"]["retainOnDelete"] = more.get("retained", False)
    if new is not None:
        found["newState"] = {"inputs": new}
    both = {*(old or {}), *(new or {})} - {SECRET_INPUTS}
    changed = sorted(name for name in both if (old or {}).get(name) != (new or {}).get(name))
    found["diffReasons"] = more.get("differs", changed if old and new else [])
    return found


def document(*steps: dict[str, Any], said: dict[str, list[str]] | None = None, **counts: int) -> dict[str, Any]:
    """Return a document with steps, and with what the preview says about resources by their names."""
    diagnostics = [
        {"urn": urn(name), "message": f"warning: {text}\n", "severity": "warning"}
        for name, texts in (said or {}).items()
        for text in texts
    ]
    return {"steps": list(steps), "diagnostics": diagnostics, "changeSummary": counts}
