"""Plans in all their forms: which steps they have, what is secret or unknown, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from billing_provider.core.errors import ConfigError
from billing_provider.core.resource import SECRET_INPUTS
from billing_provider.review import plan as plans
from billing_provider.review.plan import read_plan
from tests.review.world import HARD, PLANS, SECRET, TYPE, UNKNOWN, document, step, urn

EVENT = {"sequence": 0, "preludeEvent": {"config": {}}}
SUMMARY = {"sequence": 2, "summaryEvent": {"resourceChanges": {}}}


def read(value: Any) -> plans.ReviewedPlan:
    return read_plan("p.json", json.dumps(value).encode())


def stream(*events: dict[str, Any]) -> plans.ReviewedPlan:
    return read_plan("p.json", "\n".join(json.dumps(event) for event in (EVENT, *events)).encode())


def _lines(*events: dict[str, Any]) -> bytes:
    return "\n".join(map(json.dumps, events)).encode()


def event(op: str, **sides: Any) -> dict[str, Any]:
    return {
        "sequence": 1,
        "resourcePreEvent": {"metadata": {"op": op, "urn": urn(), "old": None, "new": None, **sides}},
    }


@pytest.mark.parametrize("name", ["document.json", "stream.jsonl", "events.jsonl", "try.json"])
def test_every_form_has_the_same_steps(name: str) -> None:
    """A document, a stream, an event log and a plan of `try` have the same changes, in the same order."""
    found = read_plan(name, (PLANS / name).read_bytes())
    assert (found.stack, found.errors, found.is_complete, found.only_state) == ("p/s", [], True, False)
    ops = {each.name: each.op for each in found.steps if each.op != "same"}
    assert ops == {
        **dict.fromkeys(("raised", "lowered", "loosened", "person", "secret", "team"), "update"),
        **dict.fromkeys(("adopted", "blocking", "crew", "unknown", "after"), "create"),
        **dict.fromkeys(("removed", "quiet", "kept", "retained", "before"), "delete"),
        "replaced": "replace",
    }
    assert [each.urn for each in found.steps] == sorted(each.urn for each in found.steps)
    by_name = {each.name: each for each in found.steps}
    assert by_name["unknown"].new.unknown == {"budget_entity_name"}
    assert by_name["secret"].new.secret == by_name["secret"].old.secret == {"budget_amount"}
    assert by_name["secret"].differs == {"budget_amount"}


def test_a_stream_may_begin_with_any_event() -> None:
    """Pulumi loads policies before the first step, and newer versions have further events."""
    lines = ({"sequence": 0, "policyLoadEvent": {}}, event("create"))
    found = read_plan("p.json", "\n".join(map(json.dumps, lines)).encode())
    assert [each.op for each in found.steps] == ["create"]


def test_a_document_counts_what_it_leaves_out() -> None:
    """A document lists no unchanged resources, and says how many there are."""
    assert read(document(step("update", HARD, HARD), same=4)).left_out == 4
    assert read(document(step("same", HARD, HARD), same=4)).left_out == 3
    assert read(document(step("refresh", HARD, HARD), same=1)).left_out == 0


@pytest.mark.parametrize("value", ["[secret]", SECRET, {"will_alert": True, "alert_recipients": ["[secret]"]}])
def test_a_secret_is_no_value(value: Any) -> None:
    """An input with a secret in any of Pulumi's forms has a name and no value."""
    (found,) = read(document(step("create", new={**HARD, "budget_alerting": value}))).steps
    assert "budget_alerting" not in found.new.fields
    assert found.new.fields[SECRET_INPUTS] == ["budget_alerting"]


def test_a_secret_that_a_plan_shows_is_hidden() -> None:
    """With --show-secrets a plan has the values; the resource names them, so they are kept out of the fields."""
    (found,) = read(document(step("create", new={**HARD, SECRET_INPUTS: ["budget_amount"]}))).steps
    assert "budget_amount" not in found.new.fields
    assert found.new.hidden == (100,)


def test_unknown_values_have_only_names() -> None:
    """An input that contains a value that is not known yet is not known; null is absent."""
    alerting = {"will_alert": True, "alert_recipients": [UNKNOWN]}
    (found,) = read(document(step("create", new={**HARD, "budget_alerting": alerting, "user": None}))).steps
    assert found.new.unknown == {"budget_alerting"}
    assert not {"budget_alerting", "user"} & found.new.fields.keys()


def test_a_replacement_is_one_step() -> None:
    """The halves of a replacement are left out; an older object that is still to be deleted is a step."""
    old, new = {"id": "enterprise/x/1", "inputs": HARD}, {"inputs": HARD}
    halves = (
        event("create-replacement", old=old, new=new),
        event("replace", old=old, new=new),
        event("delete-replaced", old=old),
    )
    rest = event("delete-replaced", old={**old, "id": "enterprise/x/0"})
    found = stream(*halves, rest, {"sequence": 2, "summaryEvent": {"resourceChanges": {}, "result": "succeeded"}})
    assert [(each.op, each.id[-1]) for each in found.steps] == [("replace", "1"), ("delete-replaced", "0")]


def test_an_older_object_in_a_plan_of_try_is_a_step() -> None:
    """A plan of `try` has no ids: an object of an interrupted replacement differs by its values from the halves."""
    older, old, new = ({**HARD, "budget_product_sku": sku} for sku in ("ghas", "packages", "actions"))
    sides = {"replace": (old, new), "create-replacement": (old, new), "delete-replaced": (old, new)}
    made: list[dict[str, Any]] = [
        {"op": op, "urn": urn(), "old": before, "new": after} for op, (before, after) in sides.items()
    ]
    made.insert(0, {"op": "delete-replaced", "urn": urn(), "old": older, "new": None})
    plan = {"verb": "preview", "ok": True, "counts": {}, "steps": made, "diagnostics": []}
    found = [(each.op, each.old.fields["budget_product_sku"]) for each in read(plan).steps]
    assert found == [("delete-replaced", "ghas"), ("replace", "packages")]


def test_a_refresh_before_a_change_is_left_out() -> None:
    """`preview --refresh` shows each resource twice: the change counts; a plan of refreshes changes only the state."""
    found = read(document(step("refresh", HARD, HARD), step("update", HARD, HARD)))
    assert [each.op for each in found.steps] == ["update"]
    assert not found.only_state
    assert read(document(step("refresh", HARD, HARD))).only_state
    done = {"verb": "refresh", "stack": "s", "ok": True, "counts": {}, "steps": [], "diagnostics": []}
    assert read(done).only_state


def test_a_failed_preview_is_not_complete() -> None:
    """The error of a preview is kept; a stream without an end is known as such."""
    error = {"urn": urn(), "message": "error: no\nsuch owner\n", "severity": "error"}
    assert read({**document(), "diagnostics": [error]}).errors == ["no such owner"]
    summary = {"sequence": 2, "summaryEvent": {"resourceChanges": None, "result": "failed"}}
    assert stream(summary).errors == ["it says no reason"]
    said = {"sequence": 1, "diagnosticEvent": {**error, "message": "no such owner\n"}}
    assert stream(said, summary).errors == ["no such owner"]
    assert not stream(said).is_complete
    done = {"verb": "preview", "ok": False, "counts": {}, "steps": [], "diagnostics": []}
    assert read(done).errors == ["it says no reason"]
    assert read({**done, "diagnostics": [error]}).errors == ["error: no such owner"]


def test_resources_of_others_are_left_out() -> None:
    """Only the resources of this provider have steps; a warning without a resource is kept."""
    other = {"op": "create", "urn": "urn:pulumi:dev::shop::aws:s3:Bucket::b", "newState": {"inputs": {}}}
    nested = {**step("create", new=HARD), "urn": urn().replace(TYPE, f"shop:Team${TYPE}")}
    warning = {"message": "warning: not compared with GitHub: 500", "severity": "warning"}
    found = read({**document(other, nested), "diagnostics": [warning, {"message": "hello", "severity": "info"}]})
    assert [(each.resource, each.name) for each in found.steps] == [("EnterpriseBudget", "b")]
    assert found.general == ["not compared with GitHub: 500"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is empty"),
        (b"\n \n", "it is empty"),
        (b"Previewing update (dev)", "it is not JSON: see line 1, column 1"),
        (b"[]", "it has no steps"),
        (b'{"version": 3}', "it has no steps"),
        (b'{"steps": [{"op": 1}]}', "steps.0.op: Input should be a valid string"),
        (b'{"verb": "up"}', "ok: Field required"),
        (json.dumps(EVENT).encode() + b'\n{"resourcePreEvent"', "it is not JSON"),
        (_lines(EVENT, document()), "sequence: Field required"),
        (_lines(EVENT, event("create"), EVENT, SUMMARY), "it has more than one plan"),
        (_lines(EVENT, SUMMARY, event("create")), "it has more than one plan"),
        (_lines(EVENT, SUMMARY, SUMMARY), "it has more than one plan"),
        (json.dumps(document()).encode() * 2, "it is not JSON"),
        (json.dumps(EVENT).encode() + b"\n[]", "valid dictionary"),
        (b'{"steps": ' + b"[" * 200 + b"]" * 200 + b"}", "nested more than 100 levels deep"),
        (b"\xff", "utf-8"),
    ],
)
def test_what_is_no_plan_is_refused(content: bytes, reason: str) -> None:
    """Other files are refused with one line that names the forms and the reason."""
    with pytest.raises(ConfigError, match="is not a plan") as error:
        read_plan("p.json", content)
    assert reason in str(error.value)


def test_a_plan_has_a_largest_size(monkeypatch: pytest.MonkeyPatch) -> None:
    """A larger file is not read."""
    monkeypatch.setattr(plans, "MAX_BYTES", 1_000_000)
    with pytest.raises(ConfigError, match="more than 1 MB"):
        read_plan("p.json", b" " * 1_000_001)


def test_an_urn_can_be_anything() -> None:
    """A URN without its parts belongs to no resource of this provider."""
    found = read(document({"op": "create", "urn": "x"}))
    assert (found.steps, found.stack) == ([], "x")
