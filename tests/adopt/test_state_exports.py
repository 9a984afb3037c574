"""States of stacks as `unmanaged` reads them: complete, or refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_provider.adopt import states
from billing_provider.adopt.states import Managed, read_state_export, stack_of
from billing_provider.core.errors import ConfigError

TYPE = "pulumi-python:dynamic/github-billing:"
URN = f"urn:pulumi:dev::p::{TYPE}EnterpriseBudget::b"

PART_URN = f"urn:pulumi:dev::p::github-billing:index:UserBudgets${TYPE}UserBudgetBucket::people-07"
OTHER = "urn:pulumi:dev::p::aws:s3/bucket:Bucket::other"


def budget(**changed: Any) -> dict[str, Any]:
    return {"urn": URN, "type": f"{TYPE}EnterpriseBudget", "id": "enterprise/Acme/AB-1", "custom": True, **changed}


TEXTS = {"budgets": '"Ann" 5\n"bob" 6\n', "budget_ids": '"Ann" "AB-1"\n"bob" "2"\n', "expired": '"bob"\n'}
"""The rows of a part of a table as they are stored since 0.2.0."""


def part(outputs: dict[str, Any] | None = None, **changed: Any) -> dict[str, Any]:
    """Return a part of a table with two rows, one of which has expired."""
    rows = {"budgets": {"Ann": 5, "bob": 6.0}, "budget_ids": {"Ann": "AB-1", "bob": "2"}, "expired": ["bob"]}
    given = {"enterprise": "Acme", "bucket": "07", **rows, **(outputs or {})}
    id_ = "enterprise/Acme/users-07"
    return {"urn": PART_URN, "type": f"{TYPE}UserBudgetBucket", "id": id_, "custom": True, "outputs": given, **changed}


def exported(*resources: Any, **deployment: Any) -> bytes:
    return json.dumps({"version": 3, "deployment": {"resources": resources, **deployment}}).encode()


def test_a_state_lists_what_its_stack_manages() -> None:
    """Managed resources of this provider are listed; what is only read, expired or of others is not."""
    content = exported(
        {"urn": "urn:pulumi:dev::p::pulumi:pulumi:Stack::p-dev", "type": "pulumi:pulumi:Stack", "custom": False},
        {"urn": OTHER, "type": "aws:s3/bucket:Bucket", "id": "1"},
        {"urn": OTHER, "type": f"{TYPE}Other", "id": "1"},
        budget(),
        budget(delete=True, id="enterprise/acme/2"),
        budget(external=True, id="enterprise/acme/3"),
        budget(id="enterprise/acme/expired"),
        budget(id="enterprise/acme/4", outputs={"expired": True}),
        budget(type=f"{TYPE}OrgBudget", id="organization/web/5"),
        budget(type=f"{TYPE}CostCenter", id="enterprise/acme/6"),
    )
    state = read_state_export("dev.json", content)
    assert state.managed == [
        Managed("enterprise/acme/ab-1", "dev.json", URN),
        Managed("enterprise/acme/2", "dev.json", URN, leaving=True),
        Managed("organization/web/5", "dev.json", URN),
        Managed("enterprise/acme/6", "dev.json", URN),
    ]
    assert state.managed[0].owner == "enterprise/acme"
    assert stack_of(URN) == "dev"


def test_a_state_lists_the_rows_of_its_tables() -> None:
    """Each row with a live budget is managed by the part that has it; a part without rows is listed too."""
    empty: dict[str, Any] = {
        "budgets": {},
        "budget_ids": {},
        "expired": None,
        "enterprise": None,
        "organization": "web",
    }
    content = exported(
        {"urn": "urn:pulumi:dev::p::github-billing:index:UserBudgets::people", "type": "github-billing:index:x"},
        part(),
        part({"expired": []}, delete=True),
        part(TEXTS),
        part(empty, id="organization/web/users-07"),
        part(external=True),
    )
    state = read_state_export("dev.json", content)
    assert state.managed == [
        Managed("enterprise/acme/ab-1", "dev.json", PART_URN, row="Ann"),
        Managed("enterprise/acme/ab-1", "dev.json", PART_URN, leaving=True, row="Ann"),
        Managed("enterprise/acme/2", "dev.json", PART_URN, leaving=True, row="bob"),
        Managed("enterprise/acme/ab-1", "dev.json", PART_URN, row="Ann"),
    ]
    assert state.managed[0].owner == "enterprise/acme"
    assert state.parts == [PART_URN] * 4


def test_an_interrupted_update_of_a_table_may_have_created_rows() -> None:
    """A part of a table creates budgets in an update too, so both are listed."""
    operations = [{"type": kind, "resource": part(inputs={"bucket": kind})} for kind in ("creating", "updating")]
    content = exported(pending_operations=[*operations, {"type": "deleting", "resource": part()}])
    found = read_state_export("dev.json", content).interrupted
    assert [(each.resource, each.inputs["bucket"]) for each in found] == [
        ("UserBudgetBucket", "creating"),
        ("UserBudgetBucket", "updating"),
    ]


def test_a_state_lists_interrupted_creates() -> None:
    """A create without an outcome is listed with its inputs; other operations and other providers are not."""
    create = {"type": "creating", "resource": budget(id="", inputs={"budget_amount": 5})}
    other = {"type": "creating", "resource": {"urn": OTHER, "type": "aws:s3/bucket:Bucket"}}
    content = exported(pending_operations=[create, other, {"type": "updating", "resource": budget()}])
    (found,) = read_state_export("dev.json", content).interrupted
    assert (found.resource, found.urn, found.inputs) == ("EnterpriseBudget", URN, {"budget_amount": 5})


@pytest.mark.parametrize("deployment", [{}, {"resources": None, "pending_operations": None}])
def test_an_empty_stack_manages_nothing(deployment: dict[str, Any]) -> None:
    """A new stack has no resources, or null."""
    state = read_state_export("-", json.dumps({"version": 3, "deployment": deployment}).encode())
    assert (state.managed, state.interrupted) == ([], [])


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{", "s cannot be read: it is not JSON"),
        (b"\xff", "s cannot be read: .*invalid start byte"),
        (b"[" * 200 + b"]" * 200, "s cannot be read: it is nested more than"),
        (b"[]", "s is not the output of `pulumi stack export`: its content: Input should be a valid dictionary"),
        (b"{}", "is not the output of `pulumi stack export`: version: Field required"),
        (json.dumps({"version": 4, "deployment": {}}).encode(), "version: Input should be 3"),
        (json.dumps({"version": 3, "checkpoint": {}}).encode(), "deployment: Field required"),
        (exported(7), "deployment.resources.0: Input should be a valid dictionary"),
        (exported({"type": "x"}), "deployment.resources.0.urn: Field required"),
        (exported(budget(external="no")), "deployment.resources.0.external: Input should be a valid boolean"),
        (exported(budget(id=7)), "deployment.resources.0.id: Input should be a valid string"),
        (exported(budget(id="")), "the id of urn:pulumi:dev::p::.* is invalid, so the state is not read"),
        (exported(budget(id="organization/acme/1")), "is invalid, so the state is not read"),
        (exported(budget(id="enterprise/acme/1; rm")), "is invalid, so the state is not read"),
        (exported(budget(urn="urn:pulumi:--yes::p::t::b")), "invalid URN, urn:pulumi:--yes::p::t::b: restore"),
        (exported(budget(urn=f"{URN}\x1b[2J")), "invalid URN"),
        (exported(part(id="organization/acme/users-07")), "is invalid, so the state is not read"),
        (
            exported(part({"budget_ids": {"Ann": "1; rm"}})),
            "s: urn:.*: the state contains an invalid value of budget_ids",
        ),
        (exported(part({"budget_ids": ["Ann"]})), "the state contains an invalid value of budget_ids"),
        (exported(part(outputs={"enterprise": None})), "is invalid, so the state is not read"),
        (exported(budget(urn="b")), "deployment.resources.0.urn: String should match pattern"),
        (exported(pending_operations=[{"type": 1}]), "pending_operations.0.type: Input should be a valid string"),
    ],
)
def test_a_state_that_is_not_understood_is_refused(content: bytes, said: str) -> None:
    """A damaged state would make managed budgets look unmanaged, so nothing of it is used."""
    with pytest.raises(ConfigError, match=said):
        read_state_export("s", content)


def test_a_state_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A state above the limit is not parsed."""
    monkeypatch.setattr(states, "MAX_BYTES", 3_000_000)
    with pytest.raises(ConfigError, match="s has more than 3 MB"):
        read_state_export("s", b" " * 3_000_001)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda more: st.lists(more) | st.dictionaries(st.text(), more),
)


@given(
    st.dictionaries(st.sampled_from(["enterprise", "organization", "budgets", "budget_ids", "expired", "more"]), VALUES)
)
def test_any_part_of_a_table_is_read_or_refused(outputs: dict[str, Any]) -> None:
    """Any outputs are read or refused with one line."""
    try:
        state = read_state_export("s", exported(part(outputs)))
    except ConfigError as error:
        assert str(error).isprintable()  # noqa: PT017 - any other error fails the test
        return
    assert all(each.id.replace("enterprise/acme/", "").isascii() for each in state.managed)


@given(
    st.dictionaries(st.sampled_from(["urn", "type", "id", "external", "delete", "inputs", "outputs", "more"]), VALUES)
)
def test_any_resource_is_read_or_refused(changed: dict[str, Any]) -> None:
    """Any content is read or refused with one line; an id that is read has the expected characters only."""
    try:
        state = read_state_export("s", exported(budget(**changed), pending_operations=[]))
    except ConfigError as error:
        assert str(error).isprintable()  # noqa: PT017 - any other error fails the test
        return
    assert all(each.id.replace("enterprise/acme/", "").isascii() for each in state.managed)
