"""How the inputs of a resource appear to type checkers, in `inspect.signature` and in `help`."""

from __future__ import annotations

import inspect
import re
import textwrap
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Constructor = TypeVar("Constructor", bound=Callable[..., None])

T_co = TypeVar("T_co", covariant=True)

_PARAM = re.compile(r":param (\w+): (.*?)(?=\n\s*:param|\Z)", re.DOTALL)
_WRAPPED = re.compile(r"(Required|NotRequired)\[(.*)\]")


class SequenceNotStr(Protocol[T_co]):
    """A list or a tuple; for a type checker, a text is none, although it is a `Sequence[str]`."""

    # Only the first method differs: the one of a text takes texts only.
    def __contains__(self, value: object, /) -> bool: ...
    def __getitem__(self, index: int, /) -> T_co: ...
    def __iter__(self) -> Iterator[T_co]: ...
    def __len__(self) -> int: ...


def takes(*forms: type[Any]) -> Callable[[Constructor], Constructor]:
    """Return a decorator that shows the inputs of a resource in the signature and the docstring of its constructor.

    Args:
        *forms: The TypedDicts that describe the inputs; the last one has all of them.
    """
    texts = dict(found for form in forms for found in _PARAM.findall(inspect.getdoc(form) or ""))
    kinds = forms[-1].__annotations__
    # In the order of the texts; without them (`python -OO`), in that of the TypedDict.
    names = dict.fromkeys([*(name for name in texts if name in kinds), *kinds])
    parameters = sorted((_parameter(name, kinds[name]) for name in names), key=_is_optional)
    lines = [_entry(each.name, texts.get(each.name, "")) for each in parameters]

    def show(constructor: Constructor) -> Constructor:
        own = inspect.signature(constructor)
        named = [each for each in own.parameters.values() if each.kind is not each.VAR_KEYWORD]
        vars(constructor)["__signature__"] = own.replace(parameters=[*named, *parameters])
        constructor.__doc__ = "\n".join([inspect.getdoc(constructor) or "", "", "Inputs:", *lines])
        return constructor

    return show


def _is_optional(parameter: inspect.Parameter) -> bool:
    return parameter.default is None


def _entry(name: str, text: str) -> str:
    """Return an input with its text, wrapped for a terminal."""
    return textwrap.fill(f"{name}: {' '.join(text.split())}", 88, initial_indent=" " * 4, subsequent_indent=" " * 8)


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
