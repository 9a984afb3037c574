"""The sample data: one enterprise with organizations, users and cost centers, without budgets."""

from __future__ import annotations

__all__ = ["COST_CENTERS", "ENTERPRISE", "ORGANIZATIONS", "REPOSITORIES", "USERS"]

ENTERPRISE = "octo-enterprise"
ORGANIZATIONS = ("octo-org", "octo-lab", "octo-apps")
REPOSITORIES = ("octo-org/website", "octo-org/api")
USERS = ("octocat", "monalisa", "hubot")
# Name and members (type, name).
COST_CENTERS: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    ("Platform", (("User", "monalisa"), ("User", "hubot"))),
    ("Data", (("Org", "octo-lab"),)),
)
