"""Property paths: parse, write, reset and compare."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from billing_provider.engine import Result, paths
from billing_provider.engine.display import Display, as_json, write_path
from billing_provider.engine.events import Step, StepEvent
from billing_provider.engine.state import Resource
from billing_provider.engine.wire import UNKNOWN, Secret

URN = "urn:pulumi:s::p::t:t:T::n"
parts = st.one_of(st.integers(0, 20), st.text(st.characters(codec="utf-8"), min_size=1))
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
objects = st.dictionaries(st.sampled_from("abc"), values, max_size=3)


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("a", ("a",)),
        ("a.b[2].c", ("a", "b", 2, "c")),
        ('a["b.c"]', ("a", "b.c")),
        (r'["say \"hi\""]', ('say "hi"',)),
        ("a[*].b", ("a", "*", "b")),
        ("*", ("*",)),
    ],
)
def test_paths_are_read(text: str, path: paths.Path) -> None:
    """Names, indexes, quoted names and wildcards are read."""
    assert paths.parse(text) == path


@pytest.mark.parametrize("text", ["a[", "a]", "a..b", '["x'])
def test_invalid_paths_are_refused(text: str) -> None:
    """A text that is not a path is refused."""
    with pytest.raises(ValueError, match="not a property path"):
        paths.parse(text)


@given(st.lists(parts, min_size=1, max_size=4).map(tuple))
@example(("tags", 0, 'a "b".c'))
def test_written_paths_are_read_back(path: paths.Path) -> None:
    """A written path parses to the same path."""
    assert paths.parse(write_path(path)) == path


@pytest.mark.parametrize(
    ("outer", "inner", "found"),
    [("a", "a.b", True), ("a", "a", True), ("a.b", "a", False), ("*", "a[0]", True), ("a[*].c", "a[3].c.d", True)],
)
def test_containment(outer: str, inner: str, found: bool) -> None:
    """A path contains what lies at or below it; a wildcard stands for any one part."""
    assert paths.contains(paths.parse(outer), paths.parse(inner)) is found


@pytest.mark.parametrize(
    ("text", "source", "target", "result"),
    [
        ("a", {"a": 1}, {"a": 2, "b": 3}, {"a": 1, "b": 3}),
        ("a", {}, {"a": 2}, {}),
        ("a", {"a": 1}, {}, {"a": 1}),
        ("a.b", {"a": {"b": 1}}, {"a": {"b": 2, "c": 3}}, {"a": {"b": 1, "c": 3}}),
        ("a.b", {"a": 1}, {"a": {"b": 2}}, {"a": {}}),
        ("a.b", {"a": {"b": 1}}, {}, {}),
        ("a[1]", {"a": [1, 2]}, {"a": [3, 4, 5]}, {"a": [3, 2, 5]}),
        ("a[2]", {"a": [1, 2]}, {"a": [3, 4, 5]}, {"a": [3, 4, 5]}),
        ("a[*]", {"a": [1, 2]}, {"a": [3, 4, 5]}, {"a": [1, 2, 5]}),
        ("a[*].b", {"a": [{"b": 1}]}, {"a": [{"b": 2}, {"b": 3}]}, {"a": [{"b": 1}, {"b": 3}]}),
        ("*", {"a": 1, "b": 2}, {"b": 3, "c": 4}, {"a": 1, "b": 2}),
        ("a[0]", {"a": 5}, {"a": [1]}, {"a": [1]}),
        ("a[0]", {"a": [1]}, {"a": 5}, {"a": 5}),
        ("a.b", {"a": Secret({"b": 1})}, {"a": {"b": 2}}, {"a": {"b": 1}}),
        ("a.b", {"a": {"b": 1}}, {"a": Secret({"b": 2})}, {"a": Secret({"b": 1})}),
    ],
)
def test_reset(text: str, source: Any, target: Any, result: Any) -> None:
    """A reset restores the value at the path, or its absence, and changes nothing else."""
    assert paths.reset(paths.parse(text), source, target) == result


@given(objects, objects)
def test_reset_of_all_properties_gives_the_source(source: dict[str, Any], target: dict[str, Any]) -> None:
    """Resetting all properties leaves no difference."""
    assert not list(paths.differences(source, paths.reset(("*",), source, target)))


@given(objects, objects)
def test_differences_are_none_for_equals_only(old: dict[str, Any], new: dict[str, Any]) -> None:
    """Two values have no differences exactly if they and their types are equal."""
    equal = json.dumps(old, sort_keys=True) == json.dumps(new, sort_keys=True)
    assert (not list(paths.differences(old, new))) == equal


def test_differences_name_the_innermost_path() -> None:
    """A difference has the innermost path, and states whether it is in a secret."""
    old = {"a": {"b": [1, 2], "gone": 1}, "s": Secret({"x": 1}), "u": 1, "t": True}
    new = {"a": {"b": [1, 3, 4]}, "s": Secret({"x": 2}), "u": UNKNOWN, "t": 1, "new": None}
    assert [(found.path, found.kind, found.secret) for found in paths.differences(old, new)] == [
        (("a", "b", 1), "update", False),
        (("a", "b", 2), "add", False),
        (("a", "gone"), "delete", False),
        (("new",), "add", False),
        (("s", "x"), "update", True),
        (("t",), "update", False),
        (("u",), "update", False),
    ]


def test_display_of_a_resource_that_is_only_read() -> None:
    """With `diff`, what is discarded has its outputs listed, because it has no inputs; a read lists nothing."""
    old = Resource(urn=URN, custom=True, type="t:t:T", external=True, outputs={"a": {"b": 1}, "__provider": "x"})
    lines: list[str] = []
    display = Display("up", "s", lines.append, diff=True)
    display(StepEvent(Step("read", URN, None, old), "done", 1.0))
    display(StepEvent(Step("discard", URN, old), "done", 1.0))
    assert lines[2:] == [" >  t:t:T n read (1.00s)", " <  t:t:T n discarded (1.00s)", "      - a: {b: 1}"]


def test_json_names_unknown_values_and_hides_secrets() -> None:
    """An unknown value is a word at any depth; a property that contains a secret is hidden as a whole."""
    old = Resource(urn=URN, custom=True, type="t:t:T", inputs={"s": {"t": [1]}, "l": [2], "__provider": "x"})
    new = Resource(
        urn=URN, custom=True, type="t:t:T", inputs={"s": {"t": [Secret(1)]}, "l": [UNKNOWN, 3], "d": {"e": UNKNOWN}}
    )
    step = Step("update", URN, old, new, tuple(paths.differences(old.inputs, new.inputs)))
    result = Result("preview", ok=True, interrupted=False, steps=[step], counts={"update": 1}, diagnostics=[])
    (shown,) = json.loads(as_json(result, "s", 1.0))["steps"]
    assert shown == {
        "op": "update",
        "urn": URN,
        "differs": ["d", "l[0]", "l[1]"],
        "old": {"s": "[secret]", "l": [2]},
        "new": {"s": "[secret]", "l": ["[unknown]", 3], "d": {"e": "[unknown]"}},
        "means": None,
        "simulated": False,
    }


def test_display_of_texts_with_several_lines() -> None:
    """Only the lines that differ are shown; one that is not printable is escaped, and a secret is hidden."""
    old = {"rows": "ann 1\nbob 2\n-- x", "one": "a", "s": Secret("a\nb")}
    new = {"rows": "ann 1\nbob 3\n-- x\ndan \x1b4", "one": "b", "s": Secret("a\nc")}
    resource = Resource(urn=URN, custom=True, type="t:t:T")
    lines: list[str] = []
    step = Step("update", URN, resource, resource, tuple(paths.differences(old, new)))
    Display("preview", "s", lines.append)(StepEvent(step, "done", 1.0))
    assert lines[2:] == [
        " ~  t:t:T n update [diff: ~one,rows,s]",
        '      ~ one: "a" => "b"',
        "      ~ rows:",
        "          - bob 2",
        "          + bob 3",
        '          + "dan \\u001b4"',
        "      ~ s: [secret] => [secret]",
    ]


def test_display_hides_the_providers_own_code() -> None:
    """A difference in the provider's stored code is not shown."""
    old = Resource(urn=URN, custom=True, type="t:t:T")
    found = tuple(paths.differences({"__provider": "x", "a": {"b": 1}}, {"__provider": "y", "a": {"b": 2}}))
    step = Step("update", old.urn, old, old, found)
    lines: list[str] = []
    Display("up", "s", lines.append)(StepEvent(step, "done", 1.0))
    assert lines[2:] == [" ~  t:t:T n updated (1.00s) [diff: ~a]", "      ~ a.b: 1 => 2"]
