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

OTHER = "urn:pulumi:dev::p::aws:s3/bucket:Bucket::other"


def budget(**changed: Any) -> dict[str, Any]:
    return {"urn": URN, "type": f"{TYPE}EnterpriseBudget", "id": "enterprise/Acme/AB-1", "custom": True, **changed}


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
