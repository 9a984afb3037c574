"""Declared budgets for tests: every scope of both owners, in several spellings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from billing_provider.sandbox import Sandbox

_ENTERPRISE = {"enterprise": "octo-enterprise", "budget_amount": 500}
_ORGANIZATION = {"organization": "octo-org", "budget_amount": 500}
_CREDITS = {"budget_product_sku": "ai_credits"}
_ALERTS = {"will_alert": True, "alert_recipients": ["OctoCat", "monalisa"]}

OF_ENTERPRISE: dict[str, dict[str, Any]] = {
    "plain": {"budget_product_sku": "actions"},
    "float": {"budget_product_sku": "packages", "budget_amount": 500.0, "budget_entity_name": "Octo-Enterprise"},
    "text": {"budget_product_sku": "ghas", "budget_amount": "500", "budget_scope": "enterprise"},
    "without cost centers": {**_CREDITS, "prevent_further_usage": True, "exclude_cost_center_usage": True},
    "with cost centers": {"budget_product_sku": "codespaces", "exclude_cost_center_usage": False},
    "alerts": {"budget_product_sku": "actions_linux_4_core", "budget_alerting": {"will_alert": True}},
    "told": {"budget_product_sku": "copilot_for_business", "budget_alerting": _ALERTS},
    "nothing": {"budget_product_sku": "ghec_licenses", "budget_type": "SkuPricing", "budget_amount": 0},
    "plural": {"budget_product_sku": "copilot_ai_credits"},
    "spelled": {"enterprise": "OCTO-Enterprise", "budget_product_sku": "git_lfs_storage"},
    "organization": {"budget_scope": "organization", "budget_entity_name": "octo-org", "budget_product_sku": "actions"},
    "Organization": {"budget_scope": "organization", "budget_entity_name": "Octo-Lab", "budget_product_sku": "actions"},
    "hard": {
        "budget_scope": "organization",
        "budget_entity_name": "octo-apps",
        "budget_product_sku": "copilot",
        "prevent_further_usage": True,
    },
    "singular": {
        "budget_scope": "organization",
        "budget_entity_name": "octo-org",
        "budget_product_sku": "copilot_ai_credit",
    },
    "repository": {
        "budget_scope": "repository",
        "budget_entity_name": "octo-org/website",
        "budget_product_sku": "actions",
    },
    "Repository": {"budget_scope": "repository", "budget_entity_name": "Octo-Org/API", "budget_product_sku": "actions"},
    "repository packages": {
        "budget_scope": "repository",
        "budget_entity_name": "octo-org/api",
        "budget_product_sku": "packages",
        "budget_alerting": _ALERTS,
    },
    "cost center": {"budget_scope": "cost_center", "budget_entity_name": "Platform", "budget_product_sku": "actions"},
    "Cost Center": {"budget_scope": "cost_center", "budget_entity_name": "dATA", "budget_product_sku": "packages"},
    "cost center id": {"budget_scope": "cost_center", "budget_entity_name": "{Data}", "budget_product_sku": "actions"},
    "COST CENTER ID": {
        "budget_scope": "cost_center",
        "budget_entity_name": "{PLATFORM}",
        "budget_product_sku": "codespaces",
        "prevent_further_usage": True,
    },
    "each in a cost center": {"budget_scope": "multi_user_cost_center", "budget_entity_name": "Platform", **_CREDITS},
    "everybody": {"budget_scope": "multi_user_customer", **_CREDITS},
    "person": {"budget_scope": "user", "user": "octocat", **_CREDITS},
    "Person": {"budget_scope": "user", "user": "MonaLisa", "budget_entity_name": "monalisa", **_CREDITS},
    "person for a while": {"budget_scope": "user", "user": "hubot", "expires_at": "2027-01-31", **_CREDITS},
    "person until midnight": {
        "budget_scope": "user",
        "user": "octo_corp",
        "expires_at": "2027-01-31T00:00:00Z",
        **_CREDITS,
    },
    "person of old": {"budget_scope": "user", "user": "hubot_corp", "budget_product_sku": "premium_requests"},
}
OF_ORGANIZATION: dict[str, dict[str, Any]] = {
    "plain": {"budget_product_sku": "actions"},
    "named": {"budget_product_sku": "packages", "budget_entity_name": "Octo-Org", "budget_scope": "organization"},
    "spelled": {"organization": "OCTO-Org", "budget_product_sku": "codespaces", "budget_amount": 7.0},
    "told": {"budget_product_sku": "ghas_licenses", "budget_alerting": _ALERTS, "prevent_further_usage": True},
    "credits": {**_CREDITS, "budget_type": "BundlePricing"},
    "other": {"organization": "octo-lab", "budget_product_sku": "actions"},
    "repository": {"budget_scope": "repository", "budget_entity_name": "website", "budget_product_sku": "actions"},
    "whole repository": {
        "budget_scope": "repository",
        "budget_entity_name": "octo-org/api",
        "budget_product_sku": "actions",
    },
    "Repository": {"budget_scope": "repository", "budget_entity_name": "API", "budget_product_sku": "packages"},
    "everybody": {"budget_scope": "multi_user_customer", **_CREDITS},
    "person": {"budget_scope": "user", "user": "octocat", **_CREDITS},
    "person for a while": {"budget_scope": "user", "user": "hubot", "expires_at": "2027-01-31", **_CREDITS},
}


def everything(sandbox: Sandbox) -> dict[str, dict[str, Any]]:
    """Return all budgets by URN, with the ids of the sandbox's cost centers."""
    ids = {f"{{{center['name']}}}": center["id"] for center in sandbox.cost_centers()}
    ids |= {name.upper(): center_id.upper() for name, center_id in ids.items()}
    budgets = {f"urn::enterprise {name}": {**_ENTERPRISE, **fields} for name, fields in OF_ENTERPRISE.items()}
    budgets |= {f"urn::organization {name}": {**_ORGANIZATION, **fields} for name, fields in OF_ORGANIZATION.items()}
    for fields in budgets.values():
        if fields.get("budget_entity_name") in ids:
            fields["budget_entity_name"] = ids[fields["budget_entity_name"]]
    return budgets
