"""The sandbox's budgets: create, refuse, list and read, without and with quirks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from billing_provider.sandbox import Sandbox

if TYPE_CHECKING:
    from collections.abc import Iterator

ENTERPRISE = "/enterprises/octo-enterprise/settings/billing/budgets"
ORGANIZATION = "/organizations/octo-org/settings/billing/budgets"
ROOTS = {"enterprise": ENTERPRISE, "organization": ORGANIZATION}
QUIET = {"will_alert": False, "alert_recipients": []}


def body(**changes: Any) -> dict[str, Any]:
    fields = {
        "budget_amount": 200,
        "prevent_further_usage": True,
        "budget_alerting": QUIET,
        "budget_scope": "enterprise",
        "budget_type": "ProductPricing",
        "budget_product_sku": "actions",
        **changes,
    }
    return {name: value for name, value in fields.items() if value is not ...}


def on_credits(**changes: Any) -> dict[str, Any]:
    return body(**{"budget_type": "BundlePricing", "budget_product_sku": "ai_credits", **changes})


def ask(sandbox: Sandbox, method: str, path: str, data: Any = None, token: str = "") -> requests.Response:
    headers = {"Authorization": f"Bearer {sandbox.tokens.get(token, token) or sandbox.token}"}
    return requests.request(method, sandbox.url + path, json=data, headers=headers, timeout=10)


def made(sandbox: Sandbox, data: dict[str, Any], root: str = ENTERPRISE) -> str:
    """Create a budget and return its stored id."""
    before = {budget["id"] for budget in sandbox.budgets(None)}
    reply = ask(sandbox, "POST", root, data)
    assert reply.status_code == 200, reply.text
    (new,) = [budget["id"] for budget in sandbox.budgets(None) if budget["id"] not in before]
    return str(new)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    with Sandbox() as served:
        yield served


@pytest.mark.parametrize(
    ("owner", "data", "entity"),
    [
        pytest.param("enterprise", body(), "octo-enterprise", id="enterprise"),
        pytest.param("enterprise", body(budget_entity_name="Octo-Enterprise"), "octo-enterprise", id="slug"),
        pytest.param(
            "enterprise", body(budget_scope="organization", budget_entity_name="OCTO-lab"), "octo-lab", id="login"
        ),
        pytest.param(
            "enterprise",
            body(budget_scope="repository", budget_entity_name="octo-org/anything.new"),
            "octo-org/anything.new",
            id="repository",
        ),
        pytest.param("enterprise", body(budget_scope="cost_center", budget_entity_name="data"), "Data", id="by name"),
        pytest.param(
            "enterprise",
            body(budget_scope="cost_center", budget_entity_name="47244a5b-54f2-5b85-a556-862962ab66fb"),
            "Platform",
            id="by UUID",
        ),
        pytest.param("enterprise", on_credits(budget_scope="multi_user_customer"), "octo-enterprise", id="universal"),
        pytest.param(
            "enterprise",
            on_credits(budget_scope="multi_user_cost_center", budget_entity_name="Platform"),
            "Platform",
            id="per member",
        ),
        pytest.param("enterprise", on_credits(budget_scope="user", user="somebody"), "somebody", id="user"),
        pytest.param(
            "enterprise",
            on_credits(budget_scope="user", user="hubot", budget_entity_name="Hubot"),
            "hubot",
            id="user and entity",
        ),
        pytest.param("organization", body(budget_scope="organization"), "octo-org", id="organization"),
        pytest.param(
            "organization",
            body(budget_scope="repository", budget_entity_name="octo-org/api"),
            "octo-org/api",
            id="its repository",
        ),
        pytest.param("organization", on_credits(budget_scope="multi_user_customer"), "octo-org", id="its universal"),
        pytest.param("organization", on_credits(budget_scope="user", user="hubot"), "hubot", id="its user"),
    ],
)
def test_every_scope_is_stored_and_read_back_with_its_entity(
    sandbox: Sandbox, owner: str, data: dict[str, Any], entity: str
) -> None:
    """Each scope of each owner can be created, and is returned as sent except for the entity."""
    budget_id = made(sandbox, data, ROOTS[owner])
    read = ask(sandbox, "GET", f"{ROOTS[owner]}/{budget_id}").json()
    assert read == {
        **data,
        "id": budget_id,
        "budget_entity_name": entity,
        **({"exclude_cost_center_usage": False} if data["budget_scope"] == "enterprise" else {}),
        **({"consumed_amount": read["consumed_amount"]} if data["budget_scope"] == "user" else {}),
    }


@pytest.mark.parametrize(
    ("data", "status", "text"),
    [
        pytest.param(body(budget_amount=..., budget_type=...), 400, "fields: budget_amount, budget_type", id="missing"),
        pytest.param(body(budget_amount=1.5), 400, "whole number", id="fraction"),
        pytest.param(body(budget_amount=-1), 400, "whole number", id="negative"),
        pytest.param(body(budget_amount=True), 400, "whole number", id="boolean amount"),
        pytest.param(body(budget_amount="5"), 400, "whole number", id="text amount"),
        pytest.param(body(prevent_further_usage="yes"), 400, "true or false", id="hard stop"),
        pytest.param(body(budget_alerting=[]), 400, "an object", id="alerting no object"),
        pytest.param(body(budget_alerting={"will_alert": True}), 400, "alerting.alert_recipients", id="half alerting"),
        pytest.param(body(budget_alerting={**QUIET, "mail": 1}), 422, "unknown field of budget_alerting", id="more"),
        pytest.param(
            body(budget_alerting={"will_alert": 1, "alert_recipients": []}), 400, "true or false", id="will_alert"
        ),
        pytest.param(
            body(budget_alerting={"will_alert": True, "alert_recipients": ["a@b.c"]}), 400, "user logins", id="mail"
        ),
        pytest.param(
            body(budget_alerting={"will_alert": True, "alert_recipients": "mona"}), 400, "user logins", id="no list"
        ),
        pytest.param(body(budget_scope="cost-center"), 400, "budget_scope", id="old spelling"),
        pytest.param(on_credits(budget_scope="user"), 400, "Missing required fields: user", id="no user"),
        pytest.param(body(user="hubot"), 400, "user is only supported", id="needless user"),
        pytest.param(on_credits(budget_scope="user", user=["hubot"]), 400, "a login", id="user no login"),
        pytest.param(
            on_credits(budget_scope="user", user="hubot", budget_entity_name="mona"),
            400,
            "leave it out",
            id="two users",
        ),
        pytest.param(body(budget_entity_name="another"), 400, "leave it out", id="another enterprise"),
        pytest.param(body(budget_entity_name=7), 400, "a string", id="entity no text"),
        pytest.param(body(budget_scope="organization"), 400, "fields: budget_entity_name", id="no organization"),
        pytest.param(
            body(budget_scope="organization", budget_entity_name="x"), 400, "no such organization", id="unknown login"
        ),
        pytest.param(
            body(budget_scope="repository", budget_entity_name="api"), 400, "owner/repository", id="bare repository"
        ),
        pytest.param(body(budget_scope="repository", budget_entity_name="x/y"), 400, "owner/repository", id="not ours"),
        pytest.param(
            body(budget_scope="cost_center", budget_entity_name="None"), 400, "no active cost center", id="no center"
        ),
        pytest.param(
            on_credits(budget_scope="multi_user_cost_center", budget_entity_name="Data"),
            400,
            "requires the cost center to contain only user members",
            id="center of organizations",
        ),
        pytest.param(
            on_credits(budget_scope="user", user="hubot", prevent_further_usage=False),
            400,
            "must be true",
            id="soft user",
        ),
        pytest.param(
            on_credits(budget_scope="user", user="hubot", budget_alerting={**QUIET, "will_alert": True}),
            400,
            "not supported for user",
            id="alerting user",
        ),
        pytest.param(body(budget_scope="multi_user_customer"), 400, "ai_credits or premium_requests", id="no credits"),
        pytest.param(body(budget_type="Fixed"), 400, "budget_type", id="type"),
        pytest.param(body(budget_type="SkuPricing"), 400, "does not fit", id="type of another"),
        pytest.param(body(budget_product_sku="actoins"), 404, "actions_linux_4_core", id="SKU: lists the valid ones"),
        pytest.param(body(budget_product_sku=None), 404, "Valid products", id="SKU no text"),
        pytest.param(body(expires_at="2999-01-01"), 400, "scope user", id="expiry of an enterprise"),
        pytest.param(
            on_credits(budget_scope="user", user="hubot", expires_at="2999-1-1"), 400, "YYYY-MM-DD", id="expiry form"
        ),
        pytest.param(
            on_credits(budget_scope="user", user="hubot", expires_at="20990101"), 400, "YYYY-MM-DD", id="basic form"
        ),
        pytest.param(
            on_credits(budget_scope="user", user="hubot", expires_at=None), 400, "YYYY-MM-DD", id="expiry null"
        ),
        pytest.param(
            on_credits(budget_scope="user", user="hubot", expires_at="2020-01-01"), 400, "future", id="expiry past"
        ),
        pytest.param(body(exclude_cost_center_usage="no"), 400, "true or false", id="exclusion"),
        pytest.param(
            on_credits(budget_scope="multi_user_customer", exclude_cost_center_usage=True),
            400,
            "scope enterprise",
            id="exclusion elsewhere",
        ),
        pytest.param(body(target_entity={"user": "hubot"}), 422, "target_entity", id="unknown field"),
    ],
)
def test_an_invalid_budget_is_refused(sandbox: Sandbox, data: dict[str, Any], status: int, text: str) -> None:
    """An invalid body is refused with a text that names the rule, and nothing is stored."""
    reply = ask(sandbox, "POST", ENTERPRISE, data)
    assert (reply.status_code, text in reply.json()["message"]) == (status, True), reply.text
    assert sandbox.budgets(None) == []


@pytest.mark.parametrize("scope", ["enterprise", "cost_center", "multi_user_cost_center"])
def test_an_organization_has_four_scopes(sandbox: Sandbox, scope: str) -> None:
    """The organization endpoint refuses the scopes that only an enterprise has."""
    reply = ask(sandbox, "POST", ORGANIZATION, on_credits(budget_scope=scope, budget_entity_name="Platform"))
    assert reply.status_code == 400
    assert "organization, repository, multi_user_customer, user" in reply.json()["message"]


def test_the_create_reply_is_an_envelope_without_user(sandbox: Sandbox) -> None:
    """A create returns 200 with message and budget, without user."""
    reply = ask(sandbox, "POST", ENTERPRISE, on_credits(budget_scope="user", user="hubot"))
    assert reply.status_code == 200
    assert reply.json()["message"] == "Budget successfully created."
    assert "user" not in reply.json()["budget"]


def test_duplicates_are_accepted(sandbox: Sandbox) -> None:
    """Two equal creates store two budgets; with duplicates_refused, the second one gets 422."""
    made(sandbox, body())
    made(sandbox, body())
    sandbox.switch("duplicates_refused")
    reply = ask(sandbox, "POST", ENTERPRISE, body())
    assert reply.status_code == 422
    assert reply.json()["errors"][0]["code"] == "already_exists"
    assert len(sandbox.budgets()) == 2


@pytest.mark.parametrize("owner", ["enterprise", "organization"])
def test_update_changes_only_its_fields(sandbox: Sandbox, owner: str) -> None:
    """A PATCH of one field keeps the others, and returns the complete budget."""
    root = ROOTS[owner]
    budget_id = made(sandbox, body(budget_scope=owner), root)
    for change in ({"budget_amount": 7.0}, {"prevent_further_usage": False}, {"budget_alerting": {"will_alert": True}}):
        reply = ask(sandbox, "PATCH", f"{root}/{budget_id}", change)
        assert reply.json()["message"] == "Budget successfully updated."
    stored = ask(sandbox, "GET", f"{root}/{budget_id}").json()
    assert stored == reply.json()["budget"]
    assert (stored["budget_amount"], stored["prevent_further_usage"]) == (7, False)
    assert stored["budget_alerting"] == {"will_alert": True, "alert_recipients": []}


def test_update_of_a_user_budget_ignores_alerting_and_changes_expiry(sandbox: Sandbox) -> None:
    """PATCH of a user budget ignores alerting and sets expires_at; null or 0 removes it."""
    path = f"{ENTERPRISE}/{made(sandbox, on_credits(budget_scope='user', user='hubot', expires_at='2998-01-01'))}"
    assert ask(sandbox, "GET", path).json()["expires_at"] == "2998-01-01"
    ask(sandbox, "PATCH", path, {"budget_alerting": {"will_alert": True}})
    for given_date, stored in (("2999-01-01", "2999-01-01"), (None, None), ("2999-01-01", "2999-01-01"), (0, None)):
        reply = ask(sandbox, "PATCH", path, {"expires_at": given_date})
        assert reply.json()["budget"].get("expires_at") == stored
    assert sandbox.budgets()[0]["budget_alerting"] == QUIET


def test_update_sets_the_exclusion_of_an_enterprise_budget(sandbox: Sandbox) -> None:
    """exclude_cost_center_usage can be set at creation and later."""
    path = f"{ENTERPRISE}/{made(sandbox, body(exclude_cost_center_usage=True))}"
    assert ask(sandbox, "GET", path).json()["exclude_cost_center_usage"] is True
    reply = ask(sandbox, "PATCH", path, {"exclude_cost_center_usage": False})
    assert reply.json()["budget"]["exclude_cost_center_usage"] is False


@pytest.mark.parametrize(
    ("change", "text"),
    [
        pytest.param({}, "at least one field", id="empty"),
        pytest.param({"budget_entity_name": "acme"}, "budget_entity_name cannot be changed", id="entity"),
        pytest.param({"budget_entity_name": ""}, "budget_entity_name cannot be changed", id="empty entity"),
        pytest.param({"budget_entity_name": 5}, "budget_entity_name cannot be changed", id="entity's type"),
        pytest.param({"expires_at": False}, "scope user", id="expiry false"),
        pytest.param({"budget_scope": "user", "user": "x"}, "budget_scope, user cannot be changed", id="identity"),
        pytest.param({"expires_at": None}, "scope user", id="expiry of an enterprise"),
        pytest.param({"budget_amount": None}, "whole number", id="amount"),
    ],
)
def test_an_invalid_update_changes_nothing(sandbox: Sandbox, change: dict[str, Any], text: str) -> None:
    """An invalid PATCH gets 400 and does not change the budget."""
    path = f"{ENTERPRISE}/{made(sandbox, body())}"
    before = sandbox.budgets()
    reply = ask(sandbox, "PATCH", path, change)
    assert (reply.status_code, text in reply.json()["message"]) == (400, True), reply.text
    assert sandbox.budgets() == before


@pytest.mark.parametrize("owner", ["enterprise", "organization"])
@pytest.mark.parametrize("sent", [{}, {"budget_entity_name": ""}])
def test_the_owner_is_stored_as_the_entity(sandbox: Sandbox, owner: str, sent: dict[str, Any]) -> None:
    """The slug or login is stored, also if "" was sent, and a PATCH may repeat the whole stored identity."""
    path = f"{ROOTS[owner]}/{made(sandbox, body(budget_scope=owner, **sent), ROOTS[owner])}"
    stored = ask(sandbox, "GET", path).json()
    assert stored["budget_entity_name"] == ROOTS[owner].split("/")[2]
    names = ("budget_scope", "budget_entity_name", "budget_type", "budget_product_sku")
    repeated = {**{name: stored[name] for name in names}, "user": None, "budget_amount": 7}
    repeated["budget_entity_name"] = repeated["budget_entity_name"].upper()
    assert ask(sandbox, "PATCH", path, repeated).json()["budget"] == {**stored, "budget_amount": 7}


def test_a_cost_center_can_be_repeated_by_its_name_and_its_uuid(sandbox: Sandbox) -> None:
    """A PATCH may contain the cost center of a budget in both forms."""
    platform, data = (center["id"] for center in sandbox.cost_centers())
    path = f"{ENTERPRISE}/{made(sandbox, body(budget_scope='cost_center', budget_entity_name=platform))}"
    for name, status in ((platform, 200), ("platform", 200), (data, 400), ("Data", 400)):
        assert ask(sandbox, "PATCH", path, {"budget_entity_name": name, "budget_amount": 1}).status_code == status


def test_git_lfs_is_a_product(sandbox: Sandbox) -> None:
    """Git LFS is accepted as a product, and so are its two SKUs."""
    for kind, sku in (("Product", "git_lfs"), ("Sku", "git_lfs_storage"), ("Sku", "git_lfs_bandwidth")):
        made(sandbox, body(budget_type=f"{kind}Pricing", budget_product_sku=sku))


@pytest.mark.parametrize(
    ("kind", "sku", "used"),
    [("Sku", "ghas_licenses", 5), ("Sku", "ghas_code_security_licenses", 7), ("Product", "ghas", 12)],
)
def test_a_hard_stop_of_ghas_is_not_below_the_licenses_in_use(sandbox: Sandbox, kind: str, sku: str, used: int) -> None:
    """A hard GHAS budget below this month's use is refused on create and update; one without a stop is accepted."""
    sandbox.spend("octo-org", "ghas_licenses", 5)
    sandbox.spend("octo-org", "ghas_code_security_licenses", 7)
    text = f"budget_amount must be at least {used}, the number of licenses in use."
    fields = body(budget_type=f"{kind}Pricing", budget_product_sku=sku, prevent_further_usage=True)
    refused = ask(sandbox, "POST", ENTERPRISE, {**fields, "budget_amount": used - 1})
    assert (refused.status_code, refused.json()["message"]) == (400, text)
    path = f"{ENTERPRISE}/{made(sandbox, {**fields, 'budget_amount': used})}"
    assert ask(sandbox, "PATCH", path, {"budget_amount": used - 1}).json()["message"] == text
    soft = {"budget_amount": used - 1, "prevent_further_usage": False}
    assert ask(sandbox, "PATCH", path, soft).status_code == 200
    assert ask(sandbox, "PATCH", path, {"prevent_further_usage": True}).json()["message"] == text
    sandbox.clock.advance(days=31)
    assert ask(sandbox, "PATCH", path, {"prevent_further_usage": True}).status_code == 200


def test_licenses_are_of_their_organization(sandbox: Sandbox) -> None:
    """A budget of another organization counts none; a snapshot brings them back, a reset removes them."""
    sandbox.spend("octo-org", "ghas_licenses", 5)
    fields = body(budget_type="SkuPricing", budget_product_sku="ghas_licenses", prevent_further_usage=True)
    for login, status in (("octo-lab", 200), ("octo-org", 400)):
        sent = {**fields, "budget_scope": "organization", "budget_entity_name": login, "budget_amount": 0}
        assert ask(sandbox, "POST", ENTERPRISE, sent).status_code == status
    snapshot = sandbox.snapshot()
    sandbox.reset()
    assert ask(sandbox, "POST", ORGANIZATION, {**sent, "budget_entity_name": "octo-org"}).status_code == 200
    sandbox.restore(snapshot)
    assert ask(sandbox, "POST", ORGANIZATION, {**sent, "budget_entity_name": "octo-org"}).status_code == 400


def test_unknown_budgets_get_404(sandbox: Sandbox) -> None:
    """An unknown id, or one of another owner, gets 404; for PATCH the text names the id."""
    budget_id = made(sandbox, body())
    for path in (f"{ENTERPRISE}/unknown", f"{ORGANIZATION}/{budget_id}"):
        assert ask(sandbox, "GET", path).json()["message"] == "Not Found"
        assert ask(sandbox, "DELETE", path).status_code == 404
    reply = ask(sandbox, "PATCH", f"{ENTERPRISE}/unknown", {"budget_amount": 1})
    assert reply.json()["message"] == "Budget with ID unknown not found."


def test_delete_removes_one_budget(sandbox: Sandbox) -> None:
    """A delete returns the id, and a second one gets 404."""
    budget_id = made(sandbox, body())
    reply = ask(sandbox, "DELETE", f"{ENTERPRISE}/{budget_id}")
    assert reply.json() == {"message": "Budget successfully deleted.", "id": budget_id}
    assert ask(sandbox, "DELETE", f"{ENTERPRISE}/{budget_id}").status_code == 404


@given(count=st.integers(0, 35), size=st.integers(1, 40), cap=st.integers(1, 12))
def test_pages_contain_every_budget_once(count: int, size: int, cap: int) -> None:
    """The pages until has_next_page is false contain each budget once, for any page size and cap."""
    with Sandbox(page_cap=cap) as sandbox:
        made_ids = [sandbox.add_budget("enterprise", "octo-enterprise")["id"] for _ in range(count)]
        listed: list[str] = []
        page = 0
        more = True
        while more:
            page += 1
            reply = ask(sandbox, "GET", f"{ENTERPRISE}?per_page={size}&page={page}").json()
            assert len(reply["budgets"]) <= min(size, cap)
            listed += [budget["id"] for budget in reply["budgets"]]
            more = reply["has_next_page"]
        assert listed == made_ids
        assert reply["total_count"] == count


def test_a_page_has_ten_budgets_by_default(sandbox: Sandbox) -> None:
    """A page has ten budgets by default and up to a hundred with per_page; page_cap_10 limits it to ten."""
    for _ in range(120):
        sandbox.add_budget("organization", "octo-org")
    assert len(ask(sandbox, "GET", ORGANIZATION).json()["budgets"]) == 10
    assert len(ask(sandbox, "GET", f"{ORGANIZATION}?per_page=500").json()["budgets"]) == 100
    sandbox.switch("page_cap_10")
    assert len(ask(sandbox, "GET", f"{ORGANIZATION}?per_page=100").json()["budgets"]) == 10


@pytest.mark.parametrize("query", ["page=0", "per_page=x", "per_page=²", "scope=cost-center"])
def test_an_invalid_query_value_is_refused(sandbox: Sandbox, query: str) -> None:
    """The error of a listing names the parameter with the invalid value."""
    reply = ask(sandbox, "GET", f"{ENTERPRISE}?{query}")
    assert reply.status_code == 400
    assert query.partition("=")[0] in reply.json()["message"]


def test_listings_filter_by_scope(sandbox: Sandbox) -> None:
    """The parameter scope lists only that scope."""
    made(sandbox, body())
    wanted = made(sandbox, body(budget_scope="organization", budget_entity_name="octo-lab"))
    listed = ask(sandbox, "GET", f"{ENTERPRISE}?scope=organization").json()
    assert ([budget["id"] for budget in listed["budgets"]], listed["total_count"]) == ([wanted], 1)


CENTER = on_credits(budget_scope="cost_center", budget_entity_name="Platform")
MEMBERS = on_credits(budget_scope="multi_user_cost_center", budget_entity_name="Platform")
USER = on_credits(budget_scope="user", user="hubot", expires_at="2999-01-01")
UNIVERSAL = on_credits(budget_scope="multi_user_customer")
REPOSITORY = body(budget_scope="repository", budget_entity_name="octo-org/api")
SINGLE = body(budget_type="SkuPricing", budget_product_sku="copilot_ai_credits")
ALERTING = body(budget_alerting={"will_alert": True, "alert_recipients": ["Mona", "hubot"]})
PLATFORM = "47244a5b-54f2-5b85-a556-862962ab66fb"


@pytest.mark.parametrize(
    ("quirk", "data", "field", "listed", "read"),
    [
        pytest.param("plural_sku", body(), "budget_product_skus", ["actions"], ["actions"], id="plural_sku"),
        pytest.param("plural_sku", body(), "budget_product_sku", None, None, id="plural_sku alone"),
        pytest.param("bare_repository", REPOSITORY, "budget_entity_name", "api", "api", id="bare_repository"),
        pytest.param("cost_center_scope_echo", MEMBERS, "budget_scope", "cost_center", MEMBERS["budget_scope"], id="1"),
        pytest.param("cost_center_scope_echo", CENTER, "budget_scope", "cost_center", "cost_center", id="2"),
        pytest.param("singular_ai_credit", SINGLE, "budget_product_sku", *["copilot_ai_credit"] * 2, id="singular"),
        pytest.param("singular_ai_credit", body(), "budget_product_sku", "actions", "actions", id="not singular"),
        pytest.param("uuid_echo", CENTER, "budget_entity_name", PLATFORM, PLATFORM, id="uuid_echo"),
        pytest.param("float_amounts", body(), "budget_amount", 200.0, 200.0, id="float_amounts"),
        pytest.param("empty_entity", body(), "budget_entity_name", "", "", id="empty_entity"),
        pytest.param("missing_entity", body(), "budget_entity_name", None, "octo-enterprise", id="missing_entity"),
        pytest.param("multi_user_customer_empty_entity", UNIVERSAL, "budget_entity_name", "", "", id="universal"),
        pytest.param("alerting_for_user_missing", USER, "budget_alerting", None, None, id="no alerting"),
        pytest.param("alerting_for_user_missing", body(), "budget_alerting", QUIET, QUIET, id="alerting"),
        pytest.param(
            "recipients_lowercased",
            ALERTING,
            "budget_alerting",
            *[{"will_alert": True, "alert_recipients": ["mona", "hubot"]}] * 2,
            id="lowercased",
        ),
        pytest.param(
            "recipients_reordered",
            ALERTING,
            "budget_alerting",
            *[{"will_alert": True, "alert_recipients": ["hubot", "Mona"]}] * 2,
            id="reordered",
        ),
        pytest.param("get_omits_expiry", USER, "expires_at", "2999-01-01", None, id="get_omits_expiry"),
        pytest.param("uppercase_login_echo", USER, "user", "Hubot", "Hubot", id="user"),
        pytest.param(
            "uppercase_login_echo",
            body(budget_scope="organization", budget_entity_name="octo-lab"),
            "budget_entity_name",
            "Octo-lab",
            "Octo-lab",
            id="organization",
        ),
        pytest.param("extra_fields", body(), "budget_thresholds", *[{"75": True, "90": True, "100": True}] * 2, id="x"),
        pytest.param(
            "premium_requests_converted",
            on_credits(budget_product_sku="premium_requests"),
            "budget_product_sku",
            "ai_credits",
            "ai_credits",
            id="converted",
        ),
    ],
)
def test_quirks_of_returned_budgets(
    sandbox: Sandbox, *, quirk: str, data: dict[str, Any], field: str, listed: Any, read: Any
) -> None:
    """Each of these quirks changes its field in listings and single reads."""
    sandbox.switch(quirk)
    budget_id = made(sandbox, data)
    (entry,) = ask(sandbox, "GET", ENTERPRISE).json()["budgets"]
    one = ask(sandbox, "GET", f"{ENTERPRISE}/{budget_id}").json()
    assert (entry.get(field), one.get(field)) == (listed, read)


def test_quirks_of_the_create_reply(sandbox: Sandbox) -> None:
    """With quirks, the create reply is flat, contains the user, or lacks the id."""
    for quirk in ("flat_create", "create_echoes_user", "no_id_in_create"):
        sandbox.switch(quirk)
    reply = ask(sandbox, "POST", ENTERPRISE, USER).json()
    assert reply["user"] == "hubot"
    assert "id" not in reply


def test_other_quirks_of_budgets(sandbox: Sandbox) -> None:
    """Quirks switch long ids, the old text for a missing user, budget_id in delete replies, and an ignored identity."""
    for quirk in ("long_ids", "old_missing_user_text", "delete_says_budget_id", "patch_ignores_identity"):
        sandbox.switch(quirk)
    budget_id = made(sandbox, body())
    assert len(budget_id) == 37
    refused = ask(sandbox, "POST", ENTERPRISE, on_credits(budget_scope="user"))
    assert refused.json()["message"] == "Missing required fields: budget_entity_name"
    patched = ask(sandbox, "PATCH", f"{ENTERPRISE}/{budget_id}", {"budget_scope": "user", "budget_amount": 3}).json()
    assert (patched["budget"]["budget_scope"], patched["budget"]["budget_amount"]) == ("enterprise", 3)
    assert ask(sandbox, "DELETE", f"{ENTERPRISE}/{budget_id}").json()["budget_id"] == budget_id


def test_quirks_of_paging(sandbox: Sandbox) -> None:
    """With quirks, total_count or both paging fields are missing, or a Link header names the next page."""
    for _ in range(3):
        sandbox.add_budget("enterprise", "octo-enterprise")
    for quirk in ("link_header", "total_count_missing"):
        sandbox.switch(quirk)
    first = ask(sandbox, "GET", f"{ENTERPRISE}?per_page=2")
    assert sorted(first.json()) == ["budgets", "has_next_page"]
    sandbox.switch("page_flags_missing")
    second = ask(sandbox, "GET", first.links["next"]["url"].removeprefix(sandbox.url))
    assert (len(second.json()["budgets"]), sorted(second.json()), second.links) == (1, ["budgets"], {})


def test_delayed_listings() -> None:
    """list_lag hides a new budget from the next listings, list_lag_seconds for some time; single reads return it."""
    now = 1_790_000_000.0
    with Sandbox(quirks=["list_lag=2"], clock=lambda: now) as sandbox:
        budget_id = made(sandbox, body())
        counts = [ask(sandbox, "GET", ENTERPRISE).json()["total_count"] for _ in range(3)]
        assert counts == [0, 0, 1]
        assert ask(sandbox, "GET", f"{ENTERPRISE}/{budget_id}").status_code == 200
        sandbox.switch("list_lag", on=False)
        sandbox.switch("list_lag_seconds")
        made(sandbox, body())
        assert ask(sandbox, "GET", ENTERPRISE).json()["total_count"] == 0
        now += 5
        assert ask(sandbox, "GET", ENTERPRISE).json()["total_count"] == 2


def test_an_expired_budget_is_removed() -> None:
    """A budget is removed on the day of expires_at; with expired_kept it is kept."""
    now = 1_790_000_000.0  # 2026-09-21
    with Sandbox(quirks=["expired_kept"], clock=lambda: now) as sandbox:
        made(sandbox, on_credits(budget_scope="user", user="hubot", expires_at="2026-09-22"))
        made(sandbox, body())
        now += 86400
        assert ask(sandbox, "GET", ENTERPRISE).json()["total_count"] == 2
        sandbox.switch("expired_kept", on=False)
        assert ask(sandbox, "GET", ENTERPRISE).json()["total_count"] == 1


def test_feature_off(sandbox: Sandbox) -> None:
    """With feature_off, every budget route returns 404; cost centers still work."""
    budget_id = made(sandbox, body())
    sandbox.switch("feature_off")
    for path in (ENTERPRISE, f"{ENTERPRISE}/{budget_id}"):
        assert ask(sandbox, "GET", path).json()["message"] == "Not Found"
    assert ask(sandbox, "GET", ENTERPRISE.replace("budgets", "cost-centers")).status_code == 200


def test_direct_edits(sandbox: Sandbox) -> None:
    """Budgets can be added, edited and removed, and a cost center renamed, without a request."""
    added = sandbox.add_budget(
        "enterprise", "octo-enterprise", budget_scope="cost_center", budget_entity_name="Platform"
    )
    sandbox.edit_budget(added["id"], budget_amount=9)
    sandbox.rename_cost_center("platform", "Engine room")
    assert ask(sandbox, "GET", f"{ENTERPRISE}/{added['id']}").json()["budget_entity_name"] == "Engine room"
    assert sandbox.edit_budget(added["id"], budget_entity_name="Data")["budget_entity_name"] == "Data"
    assert sandbox.budgets("Octo-Enterprise")[0]["budget_amount"] == 9
    assert sandbox.budgets("octo-org") == []
    sandbox.remove_budget(added["id"])
    assert len(sandbox.requests) == 1
    with pytest.raises(KeyError):
        sandbox.rename_cost_center("nobody", "x")
    with pytest.raises(KeyError):
        sandbox.edit_budget(added["id"], budget_amount=1)
    with pytest.raises(TypeError):
        sandbox.edit_budget(sandbox.add_budget("organization", "octo-org")["id"], amount=1)


def test_an_approved_raise_is_the_new_total(sandbox: Sandbox) -> None:
    """An owner approves a higher amount for the budget of one user; other budgets and amounts are refused."""
    person = {"budget_scope": "user", "budget_entity_name": "octocat", "user": "octocat", "budget_amount": 50}
    sandbox.add_budget("organization", "octo-org", **person)
    sandbox.add_budget("enterprise", "octo-enterprise", budget_amount=5)
    with pytest.raises(ValueError, match="octocat has no budget of the scope user in octo-enterprise"):
        sandbox.approve_raise("octocat", 60)
    assert sandbox.approve_raise("Octocat", 60, "octo-org")["budget_amount"] == 60
    for amount in (60, 59, "70", True, 60.5):
        with pytest.raises(ValueError, match="amount: a whole number above 60 is needed"):
            sandbox.approve_raise("octocat", amount, "octo-org")  # type: ignore[arg-type]
    assert [budget["budget_amount"] for budget in sandbox.budgets("octo-org")] == [60]
