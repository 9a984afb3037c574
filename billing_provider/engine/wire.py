"""Conversion of values between the program, the engine, the plugin and the state file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from google.protobuf import struct_pb2

from billing_provider.storage import json_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Values = dict[str, Any]

SIGNATURE_KEY = "4dabf18193072939515e22adb298388d"
SECRET_SIGNATURE = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - Pulumi's public marker of a secret, not one
RESOURCE_SIGNATURE = "5cf8f73096256a8f31e491e813e4eb8e"
OUTPUT_SIGNATURE = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
UNKNOWN_TEXT = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
PROVIDER_KEY = "__provider"

# Larger floats cannot represent every integer, so a conversion to int would add wrong digits.
_LARGEST_EXACT_INTEGER = 2**53


@dataclass(frozen=True)
class Secret:
    """A secret value: displayed as `[secret]` and marked in state."""

    value: Any


class Unknown:
    """A value that is known only after another resource was created."""

    def __repr__(self) -> str:
        return "UNKNOWN"


UNKNOWN = Unknown()


def read_struct(struct: struct_pb2.Struct) -> Values:
    """Turn a protobuf struct into plain values, secrets and unknowns; whole floats become integers."""
    return {key: _read(value) for key, value in struct.fields.items()}


def _read(value: struct_pb2.Value) -> Any:
    kind = value.WhichOneof("kind")
    if kind == "string_value":
        return UNKNOWN if value.string_value == UNKNOWN_TEXT else value.string_value
    if kind == "number_value":
        return whole(value.number_value)
    if kind == "bool_value":
        return value.bool_value
    if kind == "list_value":
        return [_read(item) for item in value.list_value.values]
    if kind == "struct_value":
        return _read_object(value.struct_value)
    return None


def _read_object(struct: struct_pb2.Struct) -> Any:
    values = read_struct(struct)
    signature = values.get(SIGNATURE_KEY)
    if signature == SECRET_SIGNATURE:
        return Secret(unwrap(values.get("value")))
    if signature == OUTPUT_SIGNATURE:
        known = values.get("value", UNKNOWN)
        return Secret(unwrap(known)) if values.get("secret") else known
    return values


def whole(number: float) -> int | float:
    """Return an integral float as an integer: the wire has only floats, state has both."""
    if number.is_integer() and abs(number) <= _LARGEST_EXACT_INTEGER:
        return int(number)
    return number


def write_struct(values: Values) -> struct_pb2.Struct:
    """Turn values into a protobuf struct."""
    struct = struct_pb2.Struct()
    struct.update(_marked(values, lambda secret: {"value": secret}))
    return struct


def for_plugin(value: Any) -> Any:
    """Return a value as the dynamic plugin supports it: without secret markers, and with ids for references.

    The reference to a component, which has no id, becomes its URN.
    """
    if isinstance(value, Secret):
        return for_plugin(value.value)
    if isinstance(value, dict) and value.get(SIGNATURE_KEY) == RESOURCE_SIGNATURE:
        return value.get("id", value["urn"]) or UNKNOWN
    return convert_items(value, for_plugin)


def convert_items(value: Any, convert: Callable[[Any], Any]) -> Any:
    """Return an object or a list with its items converted, and any other value unchanged."""
    if isinstance(value, dict):
        return {key: convert(item) for key, item in value.items()}
    return [convert(item) for item in value] if isinstance(value, list) else value


def unwrap(value: Any) -> Any:
    """Return the value without secret markers, at any depth."""
    return unwrap(value.value) if isinstance(value, Secret) else convert_items(value, unwrap)


def has_secret(value: Any) -> bool:
    """Return whether the value contains a secret."""
    return isinstance(value, Secret) or any(has_secret(item) for item in _inside(value))


def has_unknown(value: Any) -> bool:
    """Return whether the value contains an unknown."""
    if isinstance(value, Secret):
        return has_unknown(value.value)
    return value is UNKNOWN or any(has_unknown(item) for item in _inside(value))


def _inside(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def mark_secrets(results: Values, inputs: Values, additional: Iterable[str] = ()) -> Values:
    """Return the plugin's results; values of secret inputs are marked as secret.

    The dynamic plugin has no secrets, so it receives and returns plain values. A list with a secret in it becomes
    secret as a whole, because its items may have been reordered.
    """
    marked = {key: _mark(value, inputs.get(key)) for key, value in results.items()}
    for key in additional:
        if key in marked and not isinstance(marked[key], Secret):
            marked[key] = Secret(unwrap(marked[key]))
    return marked


def _mark(result: Any, given: Any) -> Any:
    if isinstance(result, Secret):
        return result
    if isinstance(given, Secret) or (isinstance(given, list) and isinstance(result, list) and has_secret(given)):
        return Secret(unwrap(result))
    if isinstance(given, dict) and isinstance(result, dict):
        return mark_secrets(result, given)
    return result


def to_json(value: Any) -> Any:
    """Return the value in the format of a state file; secrets are marked and not encrypted."""
    return _marked(value, lambda secret: {"plaintext": json.dumps(secret, separators=(",", ":"))})


def _marked(value: Any, write_secret: Callable[[Any], Values]) -> Any:
    """Return a value with markers for what is secret or unknown; `write_secret` returns what a marker holds."""
    if isinstance(value, Secret):
        return {SIGNATURE_KEY: SECRET_SIGNATURE, **write_secret(_marked(value.value, write_secret))}
    return UNKNOWN_TEXT if value is UNKNOWN else convert_items(value, lambda item: _marked(item, write_secret))


def from_json(value: Any) -> Any:
    """Return a value of a state file.

    Raises:
        ValueError: A secret is encrypted, or its content is not JSON.
    """
    if isinstance(value, dict) and value.get(SIGNATURE_KEY) == SECRET_SIGNATURE:
        if not isinstance(value.get("plaintext"), str):
            raise ValueError(
                "the state holds encrypted secrets, which this engine cannot read: "
                "export it with `pulumi stack export --show-secrets`"
            )
        return Secret(from_json(json_text.parse(value["plaintext"])))
    if value == UNKNOWN_TEXT:
        return UNKNOWN
    return whole(value) if isinstance(value, float) else convert_items(value, from_json)


def render(value: Any) -> str:
    """Return a value on one line; secrets and unknown values are shown by name only."""
    if isinstance(value, Secret):
        return "[secret]"
    if value is UNKNOWN:
        return "[unknown]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {render(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(render(item) for item in value)}]"
    return json.dumps(value, ensure_ascii=False)
