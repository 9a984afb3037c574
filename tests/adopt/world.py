"""Sixty budgets and five cost centers that another client made, and a Pulumi project beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import requests

from billing_provider.sandbox import Sandbox

if TYPE_CHECKING:
    from pathlib import Path

USERS = ("octocat", "monalisa", "hubot", "Ada-L", "grace", "linus", "margaret", "ken", "barbara")
ORGANIZATIONS = ("octo-org", "octo-lab", "octo-apps")
LOUD: dict[str, Any] = {"budget_alerting": {"will_alert": True, "alert_recipients": ["octocat", "Ada-L"]}}
PERSON: dict[str, Any] = {
    "budget_type": "BundlePricing",
    "budget_product_sku": "ai_credits",
    "prevent_further_usage": True,
}
EVERYBODY: dict[str, Any] = {**PERSON, "budget_scope": "multi_user_customer"}
PROGRAM = "import budgets\n"


def a_sandbox(*quirks: str) -> Sandbox:
    """Return a sandbox with enough names."""
    return Sandbox(users=USERS, organizations=ORGANIZATIONS, quirks=quirks)


def people(sandbox: Sandbox, number: int, prefix: str = "Dev") -> dict[str, str]:
    """Make a budget for each of some people of the enterprise, and return their ids by login; the first one expires."""
    made = {}
    for at in range(number):
        login, ends = f"{prefix}-{at}", {} if at else {"expires_at": "2999-12-31"}
        given = {**PERSON, "budget_scope": "user", "user": login, "budget_entity_name": login, **ends}
        made[login] = str(sandbox.add_budget("enterprise", "octo-enterprise", budget_amount=10 + at % 3, **given)["id"])
    sandbox.forget_requests()
    return made


class OtherClient:
    """A client that knows nothing of this project: plain requests.

    Args:
        sandbox: Where it makes budgets and cost centers.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        self._url, self._headers = sandbox.url, {"Authorization": f"Bearer {sandbox.token}"}

    def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Send one POST and return the answer."""
        reply = requests.post(f"{self._url}/{path}", json=body, headers=self._headers, timeout=10)
        assert reply.ok, reply.text
        found: dict[str, Any] = reply.json()
        return found

    def budget(self, amount: int, *, org: str | None = None, **fields: Any) -> str:
        """Make one budget and return its id."""
        owner = f"organizations/{org}" if org else "enterprises/octo-enterprise"
        quiet = {"budget_alerting": {"will_alert": False, "alert_recipients": []}}
        body = {"budget_type": "ProductPricing", "prevent_further_usage": False, **quiet, **fields}
        made = self.post(f"{owner}/settings/billing/budgets", {**body, "budget_amount": amount})
        id_: str = made["budget"]["id"]
        return id_

    def cost_center(self, name: str, **members: list[str]) -> str:
        """Make one cost center with members and return its id."""
        path = "enterprises/octo-enterprise/settings/billing/cost-centers"
        made: str = self.post(path, {"name": name})["id"]
        if members:
            self.post(f"{path}/{made}/resource", members)
        return made

    def everything(self, sandbox: Sandbox) -> None:
        """Make sixty budgets over all scopes of both owners, and cost centers until there are five."""
        self._cost_centers(sandbox)
        self._enterprise()
        self._organization()
        assert len(sandbox.budgets(None)) == 60
        assert len([center for center in sandbox.cost_centers() if center["state"] == "active"]) == 5
        sandbox.forget_requests()

    def _cost_centers(self, sandbox: Sandbox) -> None:
        self.cost_center("Research & Development", users=["grace", "linus"])
        self.cost_center("Apps", repositories=["octo-org/website"], organizations=["octo-apps"])
        self.cost_center("Köln")
        for center in sandbox.cost_centers():
            for number, sku in enumerate(("actions", "codespaces", "packages")):
                entity: dict[str, Any] = {"budget_scope": "cost_center", "budget_entity_name": center["id"]}
                self.budget(100 + number, budget_product_sku=sku, **entity, **LOUD)
            if center["name"] in ("Platform", "Research & Development"):
                entity = {"budget_scope": "multi_user_cost_center", "budget_entity_name": center["id"]}
                self.budget(40, **PERSON, **entity)

    def _enterprise(self) -> None:
        for number, sku in enumerate(("actions", "packages", "codespaces", "copilot", "ghas", "git_lfs")):
            entity = {"budget_scope": "enterprise", "budget_entity_name": "octo-enterprise"}
            self.budget(500 + number, budget_product_sku=sku, **entity, **(LOUD if number % 2 else {}))
        linux: dict[str, Any] = {"budget_type": "SkuPricing", "prevent_further_usage": True}
        self.budget(70, budget_product_sku="actions_linux", **entity, **linux, exclude_cost_center_usage=True)
        self.budget(71, budget_product_sku="copilot_ai_credits", **entity, **linux)
        for name in ORGANIZATIONS:
            for sku in ("actions", "packages", "codespaces"):
                self.budget(30, budget_product_sku=sku, budget_scope="organization", budget_entity_name=name)
        for name in ("octo-org/website", "octo-org/api"):
            for amount, sku in ((0, "actions"), (7, "packages"), (8, "codespaces")):
                self.budget(amount, budget_product_sku=sku, budget_scope="repository", budget_entity_name=name)
        self.budget(20, **EVERYBODY, budget_entity_name="octo-enterprise")
        for number, login in enumerate(USERS):
            ends: dict[str, Any] = {"expires_at": "2999-12-31"} if number == 0 else {}
            self.budget(10 + number % 3, **PERSON, budget_scope="user", user=login, **ends)

    def _organization(self) -> None:
        for sku in ("actions", "packages", "codespaces", "copilot"):
            entity = {"budget_scope": "organization", "budget_entity_name": "octo-org"}
            self.budget(60, org="octo-org", budget_product_sku=sku, **entity, **LOUD)
        for name in ("octo-org/website", "octo-org/api"):
            self.budget(
                9, org="octo-org", budget_product_sku="actions", budget_scope="repository", budget_entity_name=name
            )
        self.budget(15, org="octo-org", **EVERYBODY, budget_entity_name="octo-org")
        for login in USERS[:3]:
            self.budget(5, org="octo-org", **PERSON, budget_scope="user", user=login)


def a_project(folder: Path, program: str = PROGRAM) -> None:
    """Write a Pulumi project."""
    (folder / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    (folder / "__main__.py").write_text(program)
