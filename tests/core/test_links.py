"""The ids and addresses by which a program reads an object, and those that are refused."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_provider.core.errors import ConfigError
from billing_provider.core.ids import SLUG
from billing_provider.core.links import READABLE, Readable, read_resource_id

ENTERPRISE_BUDGET, ORG_BUDGET, COST_CENTER = READABLE
ID = "2066deda-923f-43f9-88d2-62395a28c0cdd"
ADDRESSES = {
    ENTERPRISE_BUDGET: (
        "https://api.github.com/enterprises/{owner}/settings/billing/budgets/{id}",
        "https://api.acme.ghe.com/enterprises/{owner}/settings/billing/budgets/{id}/",
        "http://127.0.0.1:8080/enterprises/{owner}/settings/billing/budgets/{id}",
        "http://localhost/under/a/path/enterprises/{owner}/settings/billing/budgets/{id}",
        "https://github.com/enterprises/{owner}/billing/budgets/{id}/edit",
        "https://acme.ghe.com/enterprises/{owner}/billing/budgets/{id}/edit?from=list#top",
        "https://GitHub.com:443/enterprises/{owner}/billing/budgets/{id}",
    ),
    ORG_BUDGET: (
        "https://api.github.com/organizations/{owner}/settings/billing/budgets/{id}",
        "https://github.com/organizations/{owner}/settings/billing/budgets/{id}/edit",
    ),
    COST_CENTER: (
        "https://api.github.com/enterprises/{owner}/settings/billing/cost-centers/{id}",
        "https://github.com/enterprises/{owner}/billing/cost_centers/{id}",
        "https://github.com/enterprises/{owner}/billing/cost_centers/{id}/edit",
    ),
}


@pytest.mark.parametrize(("kind", "form"), [(kind, form) for kind, forms in ADDRESSES.items() for form in forms])
@given(owner=st.from_regex(SLUG, fullmatch=True), id_=st.from_regex(r"\A[A-Za-z0-9_-]{1,100}\Z"))
def test_an_address_names_the_same_object_as_its_id(kind: Readable, form: str, owner: str, id_: str) -> None:
    """The address in the API and on the pages gives the resource id, in its own spelling; so does the id itself."""
    expected = f"{kind.noun}/{owner}/{id_}"
    assert read_resource_id(kind, form.format(owner=owner, id=id_)) == expected
    assert read_resource_id(kind, expected) == expected


@pytest.mark.parametrize(
    ("kind", "text", "said"),
    [
        (ENTERPRISE_BUDGET, ADDRESSES[ORG_BUDGET][0], "names no budget of an enterprise: use OrgBudget.get"),
        (ENTERPRISE_BUDGET, "organization/acme/1", "names no budget of an enterprise: use OrgBudget.get"),
        (ORG_BUDGET, ADDRESSES[ENTERPRISE_BUDGET][4], "names no budget of an organization: use EnterpriseBudget.get"),
        (ORG_BUDGET, "enterprise/acme/1", "names no budget of an organization: use EnterpriseBudget.get"),
        (ENTERPRISE_BUDGET, ADDRESSES[COST_CENTER][1], "names no budget of an enterprise: use CostCenter.get"),
        (COST_CENTER, ADDRESSES[ENTERPRISE_BUDGET][0], "names no cost center of an enterprise: use EnterpriseB"),
        (
            COST_CENTER,
            "https://github.com/organizations/{owner}/settings/billing/cost_centers/{id}",
            "names no cost center of an enterprise$",
        ),
        (COST_CENTER, "organization/acme/1", "has the form enterprise/OWNER/ID"),
        (ENTERPRISE_BUDGET, "acme/1", "has the form enterprise/OWNER/ID, not 'acme/1'"),
        (ENTERPRISE_BUDGET, 7, "has the form enterprise/OWNER/ID, not a value of type int"),
        (ENTERPRISE_BUDGET, "enterprise/acme/1/2", "has the form"),
    ],
)
def test_another_object_is_refused(kind: Readable, text: Any, said: str) -> None:
    """An object of another owner or kind is refused with the resource that reads it, before anything is sent."""
    given_text = text.format(owner="acme", id=ID) if isinstance(text, str) else text
    with pytest.raises(ConfigError, match=said):
        read_resource_id(kind, given_text)


@pytest.mark.parametrize(
    "text",
    [
        "https://github.example/enterprises/acme/billing/budgets/1",
        "https://github.com.evil.example/enterprises/acme/billing/budgets/1",
        "http://github.com/enterprises/acme/billing/budgets/1",
        "https://github.com:8443/enterprises/acme/billing/budgets/1",
        "https://user@github.com/enterprises/acme/billing/budgets/1",
        "https://github.com/enterprises/acme/billing/budgets",
        "https://github.com/enterprises/acme/billing/budgets/1/2",
        "https://github.com/enterprises/acme/billing/usage/1",
        "https://github.com/settings/billing/budgets/1",
        "https:///enterprises/acme/billing/budgets/1",
        "javascript://github.com/enterprises/acme/billing/budgets/1",
    ],
)
def test_another_address_is_refused(text: str) -> None:
    """An address that is not GitHub's, or of no object, is refused with an example of a right one."""
    example = "https://github.com/enterprises/ENTERPRISE/billing/budgets/ID"
    with pytest.raises(ConfigError, match=f"not the address of an object on GitHub.*{example}"):
        read_resource_id(ENTERPRISE_BUDGET, text)
    with pytest.raises(ConfigError, match=r"such as https://github\.com/organizations/ORGANIZATION/settings/billing/b"):
        read_resource_id(ORG_BUDGET, text)


@given(st.text(), st.sampled_from(["{}", "https://github.com/enterprises/{}/billing/budgets/1", "https://{0}/{0}"]))
def test_any_text_is_read_or_refused_in_one_line(text: str, form: str) -> None:
    """Any text, also inside an address, is a valid id or a `ConfigError`; an id never holds other characters."""
    address = form.format(quote(text) if form.startswith("https://{") else text)
    try:
        found = read_resource_id(ENTERPRISE_BUDGET, address)
    except ConfigError as error:
        assert str(error).isprintable()  # noqa: PT017 - any other error fails the test
        return
    noun, owner, id_ = found.split("/")
    assert noun == "enterprise"
    assert SLUG.fullmatch(owner)
    assert id_ in address
