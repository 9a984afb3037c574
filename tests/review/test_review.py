"""A whole review: order, sums, gates, and the comment of a pull request."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_provider.audit.rules import read_rule
from billing_provider.core.errors import ConfigError
from billing_provider.core.redact import clean
from billing_provider.review.items import ORDER
from billing_provider.review.markdown import MAX_COMMENT, comment, headline, marker
from billing_provider.review.plan import read_plan
from billing_provider.review.review import Gate, Review, review
from tests.review.world import HARD, PLANS, SECRET, UNKNOWN, document, step

UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def of(value: dict[str, Any]) -> Review:
    return review(read_plan("p", json.dumps(value).encode()))


ONCE = re.compile(r"<br>- it is not in this state under this name, [^|]*?(?=<br>| \|)")


def portable(text: str) -> str:
    """Return a comment without ids, and without what a run says once, of whichever resource is first."""
    return ONCE.sub("", UUID.sub("ID", text))


def shown(name: str) -> str:
    """Return the comment about a recorded plan."""
    return portable(comment(review(read_plan(name, (PLANS / name).read_bytes())), "Budgets"))


@pytest.mark.parametrize("name", ["document.json", "stream.jsonl", "events.jsonl", "try.json"])
def test_the_comment_about_a_recorded_plan(name: str) -> None:
    """The plan of a pull request with each kind of change has the same comment in each form of the plan."""
    assert shown(name) == (PLANS / "comment.md").read_text(), "look at the difference, then write the file anew"


def test_losses_come_first() -> None:
    """Losses come before other changes, in the order of their weight, then by name."""
    found = review(read_plan("p", (PLANS / "document.json").read_bytes()))
    assert [item.is_loss for item in found.items] == sorted((item.is_loss for item in found.items), reverse=True)
    for part in (True, False):
        ranks = [ORDER.index(item.change) for item in found.items if item.is_loss == part]
        assert ranks == sorted(ranks)


def test_sums_are_by_owner_product_and_scope() -> None:
    """Hard stops of one scope are added; where a cap goes or comes, the target has no limit on that side."""

    def repository(name: str, amount: int) -> dict[str, Any]:
        fields = {"budget_scope": "repository", "budget_entity_name": f"octo-org/{name}", "budget_amount": amount}
        return {**HARD, **fields}

    everyone = {**HARD, "budget_scope": "multi_user_customer", "budget_product_sku": "ai_credits"}
    alerts = {**HARD, "budget_product_sku": "packages", "prevent_further_usage": False}
    seats = {**HARD, "budget_product_sku": "ghas", "budget_amount": 3}
    found = of(
        document(
            step("update", repository("a", 10), repository("a", 15), name="a"),
            step("delete", repository("b", 20), name="b"),
            step("create", new=repository("c", 30), name="c"),
            step("update", {**repository("d", 1), "budget_amount": "[secret]"}, repository("d", 2), name="d"),
            step("update", everyone, {**everyone, "budget_amount": 7}, name="e"),
            step("update", alerts, {**alerts, "budget_amount": 7}, name="f"),
            step("update", seats, {**seats, "budget_amount": 4}, name="g"),
        )
    )
    assert [(*total[1:3], str(total.before), str(total.after), total.is_each) for total in found.totals] == [
        ("actions", "repository", *(f"${most} + 1 without a limit + 1 not known" for most in (30, 45)), False),
        ("ai_credits", "multi_user_customer", "$100", "$7", True),
        ("ghas", "enterprise", "3 licenses", "4 licenses", False),
    ]  # fmt: skip
    assert "| `multi_user_customer` | $100 each | $7 each |" in comment(found, "x")


def test_gates_name_what_stops_them() -> None:
    """Each gate is named as its option, with the resource that stops it; an incomplete plan stops only `unknown`."""
    found = of(document(step("delete", HARD), step("update", HARD, {**HARD, "budget_amount": 300}, name="c")))
    stopped = [(str(gate), what) for gate, what in found.stopped([Gate("increase", 150), Gate("deletion")])]
    assert stopped == [
        ("increase>150", "EnterpriseBudget b"),
        ("increase>150", "EnterpriseBudget c"),
        ("deletion", "EnterpriseBudget b"),
    ]
    failed = of({**document(), "diagnostics": [{"message": "error: no token", "severity": "error"}]})
    assert failed.stopped([Gate(kind) for kind in ("loosening", "deletion", "increase", "blocks")]) == []
    assert [what for _, what in failed.stopped([Gate("unknown")])] == [
        "the preview failed, so the plan lacks steps: no token"
    ]
    warned = {**document(), "diagnostics": [{"message": "warning: not compared with GitHub: 5", "severity": "warning"}]}
    assert of(warned).unknown == ["not compared with GitHub: 5"]
    assert of(warned).changes
    same = document(step("same", HARD, HARD), said={"b": ["not compared with GitHub: 503", "hello"]})
    assert of(same).unknown == ["b: not compared with GitHub: 503"]
    assert [what for _, what in of(same).stopped([Gate("unknown")])] == of(same).unknown
    text = comment(of(same), "x")
    assert "**No budget and no cost center changes, as far as is known.**" in text
    assert "- b: hello\n" in text
    cut = review(read_plan("p", b'{"sequence": 1, "preludeEvent": {}}'))
    assert cut.unknown == ["the stream of events has no end, so the plan can lack steps"]
    assert cut.changes


@pytest.mark.parametrize(
    ("steps", "text"),
    [
        ([], "No budget and no cost center changes."),
        ([step("delete", HARD)], "1 change, only losses: 1 removed."),
        ([step("create", new=HARD)], "1 change, no loss: 1 new."),
        (
            [step("delete", HARD), step("create", new={**HARD, "budget_product_sku": "ghas"}, name="c")],
            "1 of 2 changes allow more or tell fewer people: 1 removed. The others: 1 new.",
        ),
    ],
)
def test_the_headline_counts(steps: list[dict[str, Any]], text: str) -> None:
    """The headline has the number of losses and of each kind of change."""
    assert headline(of(document(*steps))) == text


def test_the_headline_counts_what_stops_at_once() -> None:
    """What stops usage or people at once is in the headline, though it is no loss."""
    steps = [step("create", new={**HARD, "budget_product_sku": sku}, name=sku) for sku in ("actions", "ghas")]
    said = {"actions": ["stops 2 people at once: they have used at least $20 this month"]}
    assert headline(of(document(*steps, said=said))) == ("2 changes, no loss: 2 new. 1 stops usage or people at once.")
    said["ghas"] = ["usage of ghas of x stops at once: $9 are spent, the cap is $5"]
    assert headline(of(document(*steps, said=said))).endswith(" 2 stop usage or people at once.")


def test_a_failed_preview_has_no_calm_headline() -> None:
    """A failed preview without a step is told as such, with at most five reasons."""
    errors = [{"message": f"error: reason {number}", "severity": "error"} for number in range(8)]
    text = comment(of({**document(), "diagnostics": errors}), "Budgets")
    assert "**The preview failed.**" in text
    assert text.count("**Not known:**") == 5
    assert "and 3 more reasons." in text


def test_a_large_comment_keeps_its_beginning() -> None:
    """A comment has at most 65,536 characters; the summary is whole, losses come first, and the rest is counted."""
    steps = [step("delete", HARD, name=f"goes{number}") for number in range(400)]
    news = {**HARD, "budget_product_sku": "ghas"}
    steps += [step("create", new=news, name=f"n{number}") for number in range(900)]
    text = comment(of(document(*steps)), "Budgets")
    assert MAX_COMMENT - 600 < len(text) <= MAX_COMMENT
    assert "400 of 1300 changes allow more" in text
    assert text.count("| removed `goes") == 400
    left_out = re.search(r"\*\*(\d+) more lines are left out\*\*", text)
    assert left_out is not None
    assert int(left_out[1]) == 900 - text.count("| new `n")
    assert "A plan has the state and the program" in text


def test_sums_leave_room_for_losses() -> None:
    """At most 100 sums are shown, the rest is counted, and a loss stays whatever the number of other lines is."""
    owner = "organization-with-a-rather-long-name"
    org = {name: value for name, value in HARD.items() if name != "enterprise"} | {"budget_scope": "organization"}
    steps = []
    for number in range(900):
        old = {**org, "organization": f"{owner}-{number:05}"}
        new = {**old, "budget_amount": 99}
        steps.append(step("update", old, new, name=f"n{number}", resource="OrgBudget"))
    text = comment(of(document(*steps, step("delete", HARD, name="goes"))), "Budgets")
    assert len(text) <= MAX_COMMENT
    assert "| removed `goes` |" in text
    assert text.count("| $100 | $99 |") == 100 - 1
    assert "\nand 801 more.\n" in text


def test_a_line_that_is_too_long_is_left_out_alone() -> None:
    """A change has at most 40 lines; one for which there is no room is left out, the ones after it are not."""
    words = [f"no {number} {'_x_ ' * 90}" for number in range(50)]
    names = ("a", "b", "c", "d", "e", "f")
    products = ("actions", "ghas", "packages", "codespaces", "sandbox", "git_lfs", "spark")
    steps = [
        step("delete", {**HARD, "budget_product_sku": product}, name=name)
        for name, product in zip((*names, "z"), products, strict=True)
    ]
    text = comment(of(document(*steps, said=dict.fromkeys(names, words))), "Budgets")
    shown = text.count("| removed `") - 1
    assert 0 < shown < len(names)
    assert text.count("<br>- and 11 more |") == shown
    assert "| removed `z` |" in text
    assert "The most that can be spent" not in text, "the heading of the sums has no room, so no row of them is there"
    assert f"**{len(names) - shown + 1 + len(products)} more lines are left out**" in text


ODD: st.SearchStrategy[Any] = st.sampled_from(
    [
        *(
            None,
            True,
            0,
            -1,
            1e308,
            10**400,
            "",
            "x" * 5000,
            "\ud800",
            "[secret]",
            UNKNOWN,
            SECRET,
            [],
            {},
            [[]],
            ["a"],
        ),
        *("delete", "create", "replace", "update", "same", "merge", "user", "repository", "actions", "2027-01-31"),
        *({"will_alert": True}, "@octo-org/all [x](https://evil.example) | `<b>`", float("nan"), "https://x.y\n\n# h"),
    ]
)
RULES = dict(map(read_rule, ("alerts", "umbrella", "stops-nothing", "max-amount=5", "expiry=5", "capped=octo-org")))


@given(st.data())
def test_a_damaged_plan_is_refused_or_reviewed(data: st.DataObject) -> None:
    """Whatever a plan contains, it is refused, or its comment is of bounded length and has names only as code."""
    name = data.draw(st.sampled_from(["document.json", "events.jsonl", "try.json"]))
    text = (PLANS / name).read_text()
    parts = [json.loads(line) for line in text.splitlines()] if name.endswith(".jsonl") else [json.loads(text)]
    for _ in range(data.draw(st.integers(1, 4))):
        here: Any = data.draw(st.sampled_from(parts))
        while isinstance(here, (dict, list)) and here:
            key = data.draw(st.sampled_from(sorted(here) if isinstance(here, dict) else range(len(here))))
            if data.draw(st.integers(0, 3)) == 0:
                here[key] = data.draw(ODD)
                break
            here = here[key]
    try:
        found = review(read_plan("p", "\n".join(map(json.dumps, parts)).encode()), RULES)
    except ConfigError:
        return
    shown = comment(found, "Budgets")
    assert len(shown.encode(errors="strict").decode()) <= MAX_COMMENT
    outside = re.sub(r"`[^`\n]+`|<br>|</?sub>|<!-- .* -->", "", shown)
    assert re.search(r"[@<>\[\]]|https?:|^# ", outside, re.MULTILINE) is None


def test_the_marker_is_of_the_stack() -> None:
    """The hidden marker names the project and the stack, without a sign that could end it."""
    planned = step("delete", HARD)
    planned["urn"] = planned["urn"].replace("dev::shop", "d-->x::s<b>")
    text = comment(of(document(planned)), "Caps of @team")
    assert text.splitlines()[:2] == ["<!-- billing-provider review: s-b-/d---x -->", "### Caps of `@team`"]
    assert marker(of(document())) == "<!-- billing-provider review: (no stack) -->"
    assert marker(of(document(said={"b": ["hello"]}))) == "<!-- billing-provider review: shop/dev -->"


def test_names_of_others_are_only_code() -> None:
    """A name in a plan that looks like a mention, a link, HTML or a table stays code in one cell."""
    bad = "@octo-org/all [x](https://evil.example) <img src=x> | <!-- -->\n\n# h"
    inputs = {**HARD, "budget_scope": "organization", "budget_entity_name": bad}
    text = comment(of(document(step("create", new=inputs, name=bad))), bad)
    row = next(line for line in text.splitlines() if line.startswith("| new"))
    outside = re.sub(r"`[^`]*`", "", row)
    assert outside.count("|") == 5
    assert not set("@[]<>#!") & set(outside.replace("<br>", ""))
    assert clean(bad).replace("|", "¦") in row
