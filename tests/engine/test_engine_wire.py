"""Values on the wire and in state: whole numbers, secrets, unknowns, references."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_provider.engine import wire
from billing_provider.engine.wire import UNKNOWN, Secret

plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text() | st.just(UNKNOWN),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
values = st.recursive(
    plain | plain.map(Secret),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
objects = st.dictionaries(st.text(), values, max_size=4)


@given(objects)
def test_values_survive_the_wire(given_values: dict[str, Any]) -> None:
    """Values survive a round trip over the wire, including secrets and unknowns."""
    assert wire.read_struct(wire.write_struct(given_values)) == given_values


@given(objects)
def test_values_survive_the_state_file(given_values: dict[str, Any]) -> None:
    """Values survive a round trip through a state file."""
    assert wire.from_json(json.loads(json.dumps(wire.to_json(given_values)))) == given_values


@given(objects)
def test_plugin_gets_no_secret_marker(given_values: dict[str, Any]) -> None:
    """The plugin gets the same values without secret markers."""
    assert wire.read_struct(wire.write_struct(wire.for_plugin(given_values))) == wire.unwrap(given_values)
    assert not wire.has_secret(wire.unwrap(given_values))


@given(objects)
def test_secrets_come_back_marked(given_values: dict[str, Any]) -> None:
    """Secret inputs that a plugin returns as plain values are marked as secret again."""
    marked = wire.mark_secrets(wire.unwrap(given_values), given_values)
    assert wire.unwrap(marked) == wire.unwrap(given_values)
    assert wire.has_secret(marked) == wire.has_secret(given_values)
    assert wire.mark_secrets(marked, given_values) == marked


@pytest.mark.parametrize(
    ("number", "read"), [(5.0, 5), (5.5, 5.5), (-0.0, 0), (2.0**53, 2**53), (2.0**60, 2.0**60), (1e300, 1e300)]
)
def test_whole_floats_become_integers(number: float, read: float) -> None:
    """A float without a fraction is an integer, within the exact range of floats."""
    assert wire.whole(number) == read
    assert type(wire.whole(number)) is type(read)
    assert type(wire.from_json(number)) is type(read)


def test_list_with_a_secret_becomes_secret() -> None:
    """A list with a secret is marked as a whole, because its items may be reordered."""
    given_values = {"list": [Secret("a"), "b"], "other": {"deep": Secret(1), "open": 2}}
    assert wire.mark_secrets({"list": ["b", "a"], "other": {"deep": 1, "open": 2}}, given_values) == {
        "list": Secret(["b", "a"]),
        "other": {"deep": Secret(1), "open": 2},
    }


def test_additional_outputs_become_secret() -> None:
    """Outputs in additional_secret_outputs are marked once, and only if they exist."""
    marked = wire.mark_secrets({"a": 1, "b": Secret(2)}, {}, ["a", "b", "c"])
    assert marked == {"a": Secret(1), "b": Secret(2)}


@pytest.mark.parametrize(
    ("output", "read"),
    [
        ({"value": 1}, 1),
        ({"value": 1, "secret": True}, Secret(1)),
        ({}, UNKNOWN),
        ({"secret": True}, Secret(UNKNOWN)),
    ],
)
def test_output_values_are_read(output: dict[str, Any], read: Any) -> None:
    """An output is read as its value; without a value, it is unknown."""
    struct = wire.write_struct({"x": {wire.SIGNATURE_KEY: wire.OUTPUT_SIGNATURE, **output}})
    assert wire.read_struct(struct) == {"x": read}


@pytest.mark.parametrize(
    ("reference", "sent"),
    [({"urn": "u", "id": "i"}, "i"), ({"urn": "u", "id": ""}, UNKNOWN), ({"urn": "u"}, "u")],
)
def test_plugin_gets_ids_for_references(reference: dict[str, str], sent: Any) -> None:
    """The plugin does not support references: it gets the id, a component's URN, or an unknown."""
    marked = {"r": {wire.SIGNATURE_KEY: wire.RESOURCE_SIGNATURE, **reference}}
    assert wire.for_plugin(marked) == {"r": sent}
    assert wire.read_struct(wire.write_struct(marked)) == marked


def test_encrypted_secrets_are_refused() -> None:
    """A state with encrypted secrets is refused with the command that writes it without encryption."""
    with pytest.raises(ValueError, match="pulumi stack export --show-secrets"):
        wire.from_json({wire.SIGNATURE_KEY: wire.SECRET_SIGNATURE, "ciphertext": "v1:x:y"})


@given(values)
def test_unknown_is_found_anywhere(value: Any) -> None:
    """An unknown is found exactly if the written state contains one."""
    assert wire.has_unknown(value) == (wire.UNKNOWN_TEXT in json.dumps(wire.to_json(value)))
    assert "UNKNOWN" in repr(UNKNOWN)
