"""Typical mistakes of new users: the program, and words of the answer that say what to do."""

from __future__ import annotations

from typing import NamedTuple


class Mistake(NamedTuple):
    """One mistake.

    Attributes:
        program: The program, after the usual imports.
        words: Words of the answer.
        config: Settings in addition to those of a sandbox; None removes one.
    """

    program: str
    words: str
    config: dict[str, str | None] = {}  # noqa: RUF012 - never changed


PRELUDE = """
import datetime
import math
from decimal import Decimal

import pulumi
from billing_provider import *

E, O = "octo-enterprise", "octo-org"
BASE = {"budget_product_sku": "actions", "budget_amount": 50}
"""
_ACTIONS = 'EnterpriseBudget("b", enterprise=E, **BASE)'


def _setting(name: str, value: str | None) -> dict[str, str | None]:
    return {f"github-billing:{name}": value}


def _budget(inputs: str, words: str) -> Mistake:
    return Mistake(f'EnterpriseBudget("b", enterprise=E, **{{**BASE, {inputs}}})', words)


def _person(inputs: str, words: str) -> Mistake:
    whose = '"budget_product_sku": "ai_credits", "budget_amount": 5, "budget_scope": "user", "user": "octocat"'
    return Mistake(f'OrgBudget("b", organization=O, **{{{whose}, {inputs}}})', words)


def _center(inputs: str, words: str) -> Mistake:
    return Mistake(f'CostCenter("b", **{{"enterprise": E, "name": "Apps", {inputs}}})', words)


MISTAKES: dict[str, Mistake] = {
    # Configuration.
    "no token": Mistake("get_budgets(enterprise=E)", "set GITHUB_BILLING_TOKEN", _setting("token", None)),
    "a cut token": Mistake("get_budgets(enterprise=E)", "copy it again", _setting("token", "ghp_1")),
    "a misspelt setting": Mistake(_ACTIONS, "did you mean onDelete?", _setting("onDelte", "keep")),
    "a setting of another tool": Mistake(_ACTIONS, "no such setting; the settings are appId", _setting("owner", "o")),
    "a yes": Mistake(_ACTIONS, "must be one of true, false", _setting("protectHardStops", "yes")),
    "a negative limit": Mistake(_ACTIONS, "must be a whole number, 0 or more, or off", _setting("maxDeletes", "-1")),
    "a word as a limit": Mistake(_ACTIONS, "must be a number, 0 or more, or off", _setting("maxIncreaseUsd", "lots")),
    "a wrong default": Mistake(_ACTIONS, "must be one of delete, keep", _setting("onDelete", "remove")),
    "an address without https": Mistake(_ACTIONS, "must be https:", _setting("baseUrl", "http://api.github.com")),
    # The owner.
    "a misspelt enterprise": Mistake(
        'EnterpriseBudget("b", enterprise="octo-entreprise", **BASE)', "Check the name, or"
    ),
    "a misspelt organization": Mistake(
        f'o = pulumi.ResourceOptions(depends_on=[{_ACTIONS}])\nOrgBudget("c", o, organization="octo-ogr", **BASE)',
        "Found in this run: octo-org",
    ),
    "the address of an enterprise": Mistake(
        'EnterpriseBudget("b", enterprise="https://github.com/enterprises/octo-enterprise", **BASE)', "write its slug"
    ),
    "the title of an enterprise": Mistake('EnterpriseBudget("b", enterprise="Octo Inc", **BASE)', "write its slug"),
    "a login with an at sign": Mistake('OrgBudget("b", organization="@octo-org", **BASE)', "write its login"),
    "no owner": Mistake('OrgBudget("b", **BASE)', "write the organization that owns the budget"),
    "an empty owner": Mistake('EnterpriseBudget("b", enterprise="", **BASE)', "write the enterprise that owns"),
    "the other owner": Mistake('EnterpriseBudget("b", organization=O, **BASE)', "declare an OrgBudget"),
    "two owners": Mistake('OrgBudget("b", organization=O, enterprise=E, **BASE)', "declare an EnterpriseBudget"),
    "a number as owner": Mistake('OrgBudget("b", organization=5, **BASE)', "write a text"),
    # Amounts.
    "no amount": Mistake('OrgBudget("b", organization=O, budget_product_sku="actions")', "write the amount"),
    "thousands": _budget('"budget_amount": "1,500"', "such as 1500: no separators"),
    "euros": _budget('"budget_amount": "\N{EURO SIGN}50"', "no currency but $"),
    "cents": _budget('"budget_amount": 12.5', "GitHub accepts no fractions"),
    "decimal cents": _budget('"budget_amount": Decimal("12.5")', "GitHub accepts no fractions"),
    "not a number": _budget('"budget_amount": math.nan', "write a whole number of US dollars"),
    "a flag as amount": _budget('"budget_amount": True', "write a whole number of US dollars"),
    "a negative amount": _budget('"budget_amount": -5', "0 or more"),
    "a huge amount": _budget('"budget_amount": 10**12', "at most 2147483647"),
    "a word as amount": _budget('"budget_amount": "fifty"', "such as 1500"),
    "an amount in a list": _budget('"budget_amount": [50]', "write a whole number of US dollars"),
    # Names of inputs.
    "a misspelt input": _budget('"budget_ammount": 5', "did you mean budget_amount?"),
    "a short input": _budget('"amount": 5', "its inputs are"),
    "an input in camel case": _budget('"budgetAmount": 5', "did you mean budget_amount?"),
    "an input of another resource": _budget('"users": ["octocat"]', "did you mean user?"),
    "a cost center of an organization": Mistake(
        'OrgBudget("b", organization=O, cost_center="Platform", **BASE)', "no such input of OrgBudget"
    ),
    "a misspelt cost center input": _budget('"cost_centre": "Platform"', "did you mean cost_center?"),
    # Products.
    "no product": Mistake('OrgBudget("b", organization=O, budget_amount=5)', "such as actions, ai_credits"),
    "a product in capitals": _budget('"budget_product_sku": "Actions"', "lower case, digits and underscores"),
    "a product with spaces": _budget('"budget_product_sku": "github actions"', "lower case, digits and underscores"),
    "several products": _budget('"budget_product_sku": ["actions", "packages"]', "write a text"),
    "a wrong pricing": _budget('"budget_type": "Product"', "write one of BundlePricing, ProductPricing"),
    # Scopes.
    "a British scope": _budget('"budget_scope": "organisation"', "did you mean organization?"),
    "a scope of enterprises": Mistake(
        'OrgBudget("b", organization=O, budget_scope="cost_center", **BASE)', "are declared with EnterpriseBudget"
    ),
    "a cost center scope without one": _budget('"budget_scope": "cost_center"', "write the cost center"),
    "a repository without an owner": _budget(
        '"budget_scope": "repository", "budget_entity_name": "api"', "write the repository as owner/name"
    ),
    "an organization scope without one": _budget('"budget_scope": "organization"', "write the organization's login"),
    "a repository of another organization": Mistake(
        'OrgBudget("b", organization=O, budget_scope="repository", budget_entity_name="octo-lab/a", **BASE)',
        "write a repository of the organization that owns",
    ),
    "an entity of the whole owner": _budget('"budget_entity_name": "Platform"', "leave it out"),
    "a user without the scope": _budget('"user": "octocat"', "or set budget_scope to user"),
    "a cap per user for another product": _budget(
        '"budget_scope": "multi_user_customer"', "a multi_user_customer budget covers ai_credits only"
    ),
    "exclusion in another scope": Mistake(
        'OrgBudget("b", organization=O, exclude_cost_center_usage=True, **BASE)', "only a budget of the whole enterpr"
    ),
    "a misspelt cost center": _budget('"cost_center": "Platfrom"', "Existing: Platform"),
    "a number as cost center": _budget('"cost_center": 5', "write a CostCenter, its id or its name"),
    "two entities": _budget('"cost_center": "Data", "budget_entity_name": "Data"', "give either cost_center or"),
    "a misspelt organization of an enterprise": _budget(
        '"budget_scope": "organization", "budget_entity_name": "octo-ogr"', "Known organizations: octo-org"
    ),
    # Budgets of a person.
    "no user": _person('"user": None', "write the user's login"),
    "an e-mail address": _person('"user": "mona@example.com"', "write the person's GitHub login"),
    "an at sign": _person('"user": "@octocat"', "write the login without the @"),
    "a soft cap of a person": _person('"prevent_further_usage": False', "is always a hard stop"),
    "alerts for a person": _person('"budget_alerting": {"will_alert": True}', "leave it out: GitHub sends no alerts"),
    "a German date": _person('"expires_at": "31.01.2027"', "write a date such as 2027-01-31"),
    "noon": _person('"expires_at": datetime.datetime(2099, 1, 31, 12)', "at midnight UTC only"),
    "a number as date": _person('"expires_at": 20990131', "write a text"),
    # Alerts.
    "alerts as a flag": _budget('"budget_alerting": True', "write will_alert and alert_recipients"),
    "alerts as a list": _budget('"budget_alerting": ["octocat"]', "write will_alert and alert_recipients"),
    "alerts in camel case": _budget('"budget_alerting": {"willAlert": True}', "the keys are will_alert and"),
    "one recipient": _budget(
        '"budget_alerting": {"will_alert": True, "alert_recipients": "octocat"}', "put the text in brackets"
    ),
    "an e-mail as recipient": _budget(
        '"budget_alerting": {"will_alert": True, "alert_recipients": ["a@example.com"]}', "GitHub login"
    ),
    "recipients without alerts": _budget(
        '"budget_alerting": {"will_alert": False, "alert_recipients": ["octocat"]}', "set will_alert to True"
    ),
    # Flags and choices.
    "a text as flag": _budget('"prevent_further_usage": "true"', "write True or False"),
    "a number as flag": _budget('"prevent_further_usage": 1', "write True or False"),
    "a wrong choice": _budget('"on_existing": "adpot"', "did you mean adopt?"),
    "a wrong deletion": _budget('"on_delete": "retain"', "write one of delete, keep"),
    # Outputs.
    "an Output in a text": Mistake(
        'c = CostCenter("c", enterprise=E, name="Apps")\n'
        'EnterpriseBudget("b", enterprise=E, cost_center=f"{c.name}", **BASE)',
        "pulumi.Output.format",
    ),
    "a resource as a text": Mistake(
        'c = CostCenter("c", enterprise=E, name="Apps")\n'
        'EnterpriseBudget("b", enterprise=E, budget_scope="cost_center", budget_entity_name=c, **BASE)',
        "write a text, not a value of type CostCenter",
    ),
    "an Output of an object": _person('"user": pulumi.Output.from_input(5).apply(lambda _: object())', "write a text"),
    "an Output for a function": Mistake(f"get_budgets(enterprise={_ACTIONS}.enterprise)", "whose name ends in _output"),
    # The same twice.
    "the same budget twice": Mistake(
        f'{_ACTIONS}\nEnterpriseBudget("c", enterprise=E, **BASE)', "remove one of the tw"
    ),
    # Cost centers.
    "one member": _center('"users": "octocat"', "put the text in brackets"),
    "members as a dict": _center('"users": {"octocat": 1}', "write a list of texts"),
    "a member by e-mail": _center('"users": ["a@example.com"]', "GitHub login"),
    "a repository without owner": _center('"repositories": ["api"]', "write the repository as owner/name"),
    "a pool with organizations": _center('"ai_credit_pool_enabled": True, "organizations": [O]', "leave out"),
    "no name": _center('"name": None', "write a name for the cost center"),
    "teams by another name": _center('"teams": ["mobile"]', "its inputs are enterprise, name, users"),
    # Functions.
    "a function without owner": Mistake("get_budgets()", "either enterprise or organization"),
    "a function with two owners": Mistake("get_budgets(enterprise=E, organization=O)", "either enterprise or organiza"),
    "a misspelt argument": Mistake("get_budgets(entreprise=E)", "unexpected keyword argument 'entreprise'"),
    "a misspelt scope": Mistake('get_budgets(enterprise=E, scope="organisation")', "did you mean organization?"),
    "a month as text": Mistake('get_usage(enterprise=E, month="8")', "write a whole number"),
    "a month too many": Mistake("get_usage(enterprise=E, month=13)", "this date does not exist"),
    "a filter of another report": Mistake("get_usage(organization=O, cost_center='Data')", "supports only"),
    "an unknown cost center": Mistake('get_cost_center(enterprise=E, cost_center="Platfrom")', "Existing: Platform"),
    "an unknown team": Mistake('get_enterprise_team_members(enterprise=E, enterprise_team="developer")', "404"),
    "an unknown budget": Mistake('get_budget(enterprise=E, budget_id="b-1")', "404"),
    "an unknown state": Mistake('get_cost_centers(enterprise=E, state="archived")', "write active or deleted"),
    "a report in a preview": Mistake(
        'get_usage_report_rows(enterprise=E, report_type="detailed", start_date="2026-01-01", end_date="2026-01-02")',
        "get_usage_report_rows_output",
    ),
    # Reading what is managed elsewhere.
    "nothing to read": Mistake('EnterpriseBudget.get("b")', "either the id or address, or the key"),
    "a bare id": Mistake('EnterpriseBudget.get("b", "47244a5b")', "has the form enterprise/OWNER/ID"),
    "an id of another resource": Mistake('EnterpriseBudget.get("b", "organization/octo-org/1")', "OrgBudget"),
    "a key without a budget": Mistake(
        'EnterpriseBudget.get("b", enterprise=E, budget_product_sku="actions")', "does not exist"
    ),
}

WHOLE_RUNS = (
    "a misspelt setting",
    "thousands",
    "a misspelt input",
    "a misspelt cost center",
    "an Output of an object",
    "a misspelt argument",
    "a cost center scope without one",
)
"""Mistakes that also run on the engines, one for each place that finds some."""
