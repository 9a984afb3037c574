"""The inputs of a resource: what type checkers and `help` show of them, and what is sent of them."""

from __future__ import annotations

import inspect
import re
from datetime import date
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import pulumi

from billing_provider.core.errors import ConfigError
from billing_provider.core.inputs import in_one_line, no_such_inputs
from billing_provider.core.values import kind_of, plain, text_of
from billing_provider.sdk.invoke import brief

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from billing_provider.core.inputs import Problem

    Read = Callable[[Mapping[str, Any]], tuple[dict[str, Any], list[Problem]]]
    Rules = Callable[[Mapping[str, Any], frozenset[str]], Iterable[Problem]]

    Constructor = TypeVar("Constructor", bound=Callable[..., None])

T_co = TypeVar("T_co", covariant=True)

_PARAM = re.compile(r":param (\w+): (.*?)(?=\n\s*:param|\Z)", re.DOTALL)
_WRAPPED = re.compile(r"(Required|NotRequired)\[(.*)\]")


class CollectionNotStr(Protocol[T_co]):
    """A list, a tuple or a set; for a type checker, a text is none, although it is a `Collection[str]`."""

    # Only the first method differs: the one of a text takes texts only.
    def __contains__(self, value: object, /) -> bool: ...
    def __iter__(self) -> Iterator[T_co]: ...
    def __len__(self) -> int: ...


def takes(*forms: type[Any]) -> Callable[[Constructor], Constructor]:
    """Return a decorator that shows the inputs of a resource in the signature of its constructor.

    Args:
        *forms: The TypedDicts that describe the inputs; the last one has all of them.
    """
    texts = dict(found for form in forms for found in _PARAM.findall(inspect.getdoc(form) or ""))
    kinds = forms[-1].__annotations__
    # In the order of the texts; without them (`python -OO`), in that of the TypedDict.
    names = dict.fromkeys([*(name for name in texts if name in kinds), *kinds])
    parameters = sorted((_parameter(name, kinds[name]) for name in names), key=_is_optional)

    def show(constructor: Constructor) -> Constructor:
        own = inspect.signature(constructor)
        named = [each for each in own.parameters.values() if each.kind is not each.VAR_KEYWORD]
        vars(constructor)["__signature__"] = own.replace(parameters=[*named, *parameters])
        return constructor

    return show


def _is_optional(parameter: inspect.Parameter) -> bool:
    return parameter.default is None


def _parameter(name: str, kind: Any) -> inspect.Parameter:
    """Return an input as a parameter; an optional one has the default None."""
    text: str = getattr(kind, "__forward_arg__", str(kind))
    found = _WRAPPED.fullmatch(text)
    required = found is not None and found[1] == "Required"
    return inspect.Parameter(
        name,
        inspect.Parameter.KEYWORD_ONLY,
        default=inspect.Parameter.empty if required else None,
        annotation=found[2] if found else text,
    )


# --- what is sent

_KEPT = (pulumi.Output, pulumi.output.Unknown)
_SENDABLE = (str, bool, int, float, type(None), pulumi.output.Unknown)


_INPUT_TYPE = "_pulumi_input_type"
"""The attribute that `pulumi.input_type` gives a class of inputs, such as `BudgetAlertingArgs`."""


def to_send(
    form: type[Any], resource: str, resource_name: str, given: Mapping[str, Any], *, read: Read, rules: Rules
) -> dict[str, Any]:
    """Return the inputs of a declaration as Pulumi can send them; an input that is None is left out.

    Here and not only in the plugin: the SDK refuses what it cannot send with a traceback of thirty lines. Rules that
    combine inputs are the plugin's, which knows what `ignore_changes` keeps; they only add to a message from here.

    Args:
        form: The TypedDict that describes the inputs.
        resource: The name of the kind of resource.
        resource_name: The name of the resource in the program.
        given: The inputs in the program.
        read: Returns the inputs of valid type, and one problem for each other input.
        rules: Returns the problems of inputs of valid type; not of those named, which are not known or wrong.

    Raises:
        ConfigError: An input has a wrong name or type; Pulumi shows the message, without a traceback.
    """
    names = form.__annotations__
    found = no_such_inputs(resource, (name for name in given if name not in names), names)
    opened = {name: plain(value, _KEPT) for name, value in given.items() if name in names and value is not None}
    # The plugin checks these once they are known.
    late = {name: value for name, value in opened.items() if _is_late(value)}
    known, wrong = read({name: value for name, value in opened.items() if name not in late})
    found += wrong
    if found:
        found += rules(known, frozenset(late).union(problem.field for problem in found))
        raise brief(ConfigError(f"{resource_name}: {in_one_line(found)}"))
    return {**known, **{name: _sent(f"{resource_name}: {name}", value) for name, value in late.items()}}


def _is_late(value: Any) -> bool:
    """Return whether a value is an Output or an awaitable, or contains one."""
    if isinstance(value, (dict, list)):
        return any(map(_is_late, value.values() if isinstance(value, dict) else value))
    return isinstance(value, pulumi.Output) or inspect.isawaitable(value)


def _sent(where: str, value: Any) -> Any:
    """Return a value, once it is known, as Pulumi can send it.

    Raises:
        ConfigError: Pulumi cannot send it.
    """
    if isinstance(value, pulumi.Output) or inspect.isawaitable(value):
        return pulumi.Output.from_input(value).apply(lambda known: _sent(where, plain(known, _KEPT)))
    if isinstance(value, dict) or hasattr(type(value), _INPUT_TYPE):
        given = value if isinstance(value, dict) else vars(value)
        return {key: _sent(where, each) for key, each in given.items()}
    if isinstance(value, list):
        return [_sent(where, each) for each in value]
    if isinstance(value, date):
        return text_of(value)
    if isinstance(value, _SENDABLE):
        return value
    raise brief(ConfigError(f"{where}: write a text, a number or a list, not {kind_of(value)}"))
