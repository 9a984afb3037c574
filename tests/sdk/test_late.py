"""Outputs that a declaration does not name: as the SDK's own, and free of cost until a program uses them."""

from __future__ import annotations

from typing import Any

import grpc
import pulumi
import pytest
from pulumi.runtime.mocks import MockMonitor

from billing_provider import OrgBudget
from billing_provider.sdk.late import LateOutput
from tests.support.mocked import run

LATE = ("user", "on_existing", "on_delete", "on_raise", "cost_center_id", "raised_to", "expired")


def declared(name: str, opts: pulumi.ResourceOptions | None = None, **inputs: Any) -> OrgBudget:
    return OrgBudget(name, opts, organization="o", budget_product_sku="actions", budget_amount=5, **inputs)


@pytest.mark.parametrize("preview", [False, True])
def test_they_are_none_and_unknown_in_a_preview(preview: bool) -> None:
    """Each depends on its resource; like an output that is not returned, it is known only after an update."""
    seen: dict[str, Any] = {}

    def program() -> dict[str, Any]:
        budget = declared("a")
        outputs = {name: getattr(budget, name) for name in (*LATE, "consumed_amount")}

        async def look() -> None:
            for name, output in outputs.items():
                known = await output.is_known()
                depends = {each is budget for each in await output.resources()}
                seen[name] = (known, await output.future(), await output.is_secret(), depends)

        return {"looked": pulumi.Output.from_input(look())}

    run(program, preview=preview, answers={"a": {"budget_id": "1"}})
    assert list(seen.values()) == [(not preview, None, False, {True})] * (len(LATE) + 1)


def test_they_are_unknown_where_the_engine_has_no_resource(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has none that it leaves out, and none that failed; a program goes on, as with the outputs of the SDK."""

    def refuse(_monitor: MockMonitor, _request: Any) -> None:
        raise grpc.RpcError

    monkeypatch.setattr(MockMonitor, "Invoke", refuse)
    seen: list[tuple[bool, Any]] = []

    def program() -> dict[str, Any]:
        budget = declared("a")

        async def look() -> None:
            seen.append((await budget.budget_id.is_known(), await budget.budget_id.future()))

        return {"looked": pulumi.Output.from_input(look())}

    run(program, answers={"a": {"budget_id": "1"}})
    assert seen == [(False, None)]


def test_they_take_part_in_expressions_and_exports() -> None:
    """Programs apply, combine and export them, also with a whole resource, as before."""

    def program() -> dict[str, Any]:
        budget = declared("a")
        assert isinstance(budget.raised_to, LateOutput)
        return {
            "twice": budget.raised_to.apply(lambda amount: [amount, amount]),
            "again": pulumi.Output.all(budget.raised_to, budget.user),
            "text": pulumi.Output.concat("raised to ", budget.expired.apply(str)),
            "names": sorted(name for name in vars(budget) if not name.startswith("_")),
        }

    exports = run(program).exports
    assert (exports["twice"], exports["again"], exports["text"]) == ([None, None], [None, None], "raised to None")
    assert {*LATE, "budget_id", "urn"} <= set(exports["names"])


def test_a_lifted_attribute_fails_as_that_of_any_output() -> None:
    """The SDK makes an Output of any attribute; the one of nothing is an error when it is known."""

    def program() -> dict[str, Any]:
        return {"lifted": getattr(declared("a").on_delete, "name")}  # noqa: B009 - no attribute of the type

    with pytest.raises(AttributeError, match="'NoneType' object has no attribute 'name'"):
        run(program)


def test_they_have_what_the_engine_returns() -> None:
    """Of a budget of one user, of a scope that is known late, and of an input that `ignore_changes` keeps."""
    scope = pulumi.Output.from_input("user")
    kept = pulumi.ResourceOptions(ignore_changes=["on_delete"])

    def program() -> dict[str, Any]:
        of_user = declared("u", budget_scope="user", user="octocat", on_raise="keep")
        late = declared("late", budget_scope=scope, user="octocat")
        return {"raised": of_user.raised_to, "late": late.expired, "kept": declared("kept", kept).on_delete}

    answers: dict[str, dict[str, Any]] = {
        "u": {"raised_to": 9.0},
        "late": {"expired": True},
        "kept": {"on_delete": "keep"},
    }
    assert run(program, answers=answers).exports == {"raised": 9.0, "late": True, "kept": "keep"}
