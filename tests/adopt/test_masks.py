"""Masks for logins: whatever an account has, its module and its seed to share contain no login."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_provider.adopt import module
from billing_provider.adopt.entries import find_entries
from billing_provider.adopt.inventory import Inventory, owners_of
from billing_provider.adopt.masks import mask_logins
from billing_provider.adopt.seed import seed_of
from billing_provider.budgets.models import Budget
from billing_provider.cost_centers.models import CostCenterDetails, CostCenterResource
from tests.adopt.world import a_sandbox
from tests.support.harness import open_harness

ENTERPRISE, ORGANIZATION = owners_of(["acme"], ["acme-web"])
CENTER = "5d2b1c0e-0000-4000-8000-000000000000"
# Nothing else in the output begins with a z.
LOGINS = st.lists(
    st.from_regex(r"[zZ][a-z0-9]{2,6}([_-][a-zA-Z0-9]{1,4}){0,2}", fullmatch=True),
    min_size=4,
    max_size=9,
    unique_by=str.lower,
)
OTHER_NAMES = ("acme-web", "apps", "octo")


def budget(id_: str, **fields: Any) -> Budget:
    return Budget.model_validate(
        {
            "id": id_,
            "budget_amount": 1,
            "budget_product_sku": "ai_credits",
            "budget_scope": "user",
            "prevent_further_usage": True,
            **fields,
        }
    )


def account(logins: list[str]) -> list[Inventory]:
    """Return an account that has logins in every place, alone and as words of a name."""
    user, recipient, member, owner, *more = logins
    members = (
        CostCenterResource("User", member.upper()),
        *(CostCenterResource("User", login) for login in more),
        CostCenterResource("Org", f"{user}-lab"),
        CostCenterResource("Org", "octo"),
        CostCenterResource("Repo", f"octo/{user}.site"),
        CostCenterResource("Repo", f"{user}-lab/site"),
        CostCenterResource("Repo", f"{owner}/{owner}-site"),
        CostCenterResource("Team", f"ent:team-{recipient}"),
    )
    centers = [
        CostCenterDetails(CENTER, f"{member}'s apps", resources=members),
        CostCenterDetails("c2", f"Old {user}", "deleted"),
    ]
    alerting = {"will_alert": True, "alert_recipients": [recipient, f"{owner}@example.com"]}
    plain = {"budget_product_sku": "actions", "prevent_further_usage": False}
    budgets = [
        budget("b1", user=user, budget_entity_name=user.lower()),
        budget("b2", budget_entity_name=member),
        budget("b3", **plain, budget_scope="enterprise", budget_alerting=alerting),
        budget("b4", **plain, budget_scope="cost_center", budget_entity_name=f"{member}'s apps"),
        budget("b5", **{**plain, "budget_product_sku": "packages"}, budget_scope="cost_center",
               budget_entity_name=CENTER),
        budget("b6", **plain, budget_scope="organization", budget_entity_name=f"{user}-lab"),
        budget("b7", **plain, budget_scope="repository", budget_entity_name=f"{owner}/{user}-site"),
    ]  # fmt: skip
    own = [budget("b8", **plain, budget_scope="repository", budget_entity_name=f"{recipient}-site")]
    return [Inventory(ENTERPRISE, budgets, centers), Inventory(ORGANIZATION, own)]


def texts(inventories: list[Inventory]) -> tuple[str, str]:
    """Return the module and the seed of an account."""
    # Nothing is sent, so the sandbox is not started.
    entries, skipped = find_entries(open_harness(a_sandbox()).run, inventories)
    assert skipped == []
    names = {entry.id: f"{number}-{entry.wanted}" for number, entry in enumerate(entries)}
    return module.write(entries, names, masked=True), json.dumps(seed_of(inventories))


@given(LOGINS)
def test_no_login_is_in_a_masked_output(logins: list[str]) -> None:
    """No login is left: not alone, and not in the name of an owner, organization, repository, cost center or team."""
    masked = mask_logins(account(logins))
    for text in texts(masked):
        words = re.sub(r"[^a-z0-9]+", " ", text.lower()).split()
        assert [word for word in words if word.startswith("z")] == []
        assert all(name in text for name in OTHER_NAMES)
    assert [each.id for each in masked[0].budgets] == [each.id for each in account(logins)[0].budgets]


def test_equal_logins_have_equal_masks() -> None:
    """A person has one mask everywhere, whatever the case; the owner of a repository counts as one."""
    (enterprise, organization) = mask_logins(account(["Zoe", "zed", "zac", "zip"]))
    user, repository = enterprise.budgets[0].user, enterprise.budgets[6].budget_entity_name
    assert enterprise.budgets[0].budget_entity_name == user
    assert repository == f"{enterprise.cost_centers[0].members('repositories')[2].partition('/')[0]}/{user}-site"
    assert enterprise.cost_centers[1].name == f"Old {user}"
    assert enterprise.cost_centers[0].members("organizations") == [f"{user}-lab", "octo"]
    assert enterprise.budgets[4].budget_entity_name == CENTER
    assert (enterprise.owner, organization.owner) == (ENTERPRISE, ORGANIZATION)


def test_an_owner_whose_name_has_a_login_is_masked() -> None:
    """The name of an organization or an enterprise can contain a login."""
    given_ = [Inventory(owner, [budget("b", user="zoe")]) for owner in owners_of(["zoe"], ["acme-zoe"])]
    assert [each.owner.slug for each in mask_logins(given_)] == ["person-1", "acme-person-1"]


def test_a_field_that_github_omits_stays_omitted() -> None:
    """A missing field counts as unchanged, and an empty one does not."""
    given_ = Inventory(ENTERPRISE, [budget("b", user="zoe")])
    (masked,) = mask_logins([given_])
    assert masked.budgets[0].model_fields_set == given_.budgets[0].model_fields_set


def test_the_numbers_do_not_follow_the_alphabet() -> None:
    """The numbers of forty people are not in the order of their logins, nor of their listing."""
    logins = [f"z{number:02}" for number in range(40)]
    (masked,) = mask_logins([Inventory(ENTERPRISE, [budget(login, user=login) for login in logins])])
    masks = [each.user for each in masked.budgets]
    assert sorted(masks, key=str) == sorted(f"person-{number}" for number in range(1, 41))
    assert masks != [f"person-{number}" for number in range(1, 41)]


@pytest.mark.parametrize("inventory", [[], [Inventory(ENTERPRISE, [])]])
def test_an_account_without_people_stays_as_it_is(inventory: list[Inventory]) -> None:
    """Without logins, nothing is masked."""
    assert mask_logins(inventory) == inventory
