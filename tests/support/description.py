"""GitHub's API description, read from the client githubkit: what a request may have, and how a reply looks."""

from __future__ import annotations

import ast
import builtins
import copy
import functools
import importlib
import re
import typing
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import BaseModel, TypeAdapter, ValidationError

from billing_provider.sandbox.http.api import Api

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

    from billing_provider.sandbox.http.incoming import Incoming
    from billing_provider.sandbox.operations.replies import Reply

_ROOMS = ("githubkit_schemas.ghec_v2026_03_10", "githubkit_schemas.v2026_03_10")
_PEOPLE = {
    "enterprise_team_memberships": "/enterprises/{enterprise}/teams/{enterprise_team}/memberships",
    "users": "/users/{username}",
}
"""The operations beside billing, by the module of the description; the first room has all of them."""
NOT_DESCRIBED = {"exclude_cost_center_usage"}
"""Fields that GitHub's replies have and that no description has: requests may have them too."""


class Operation(NamedTuple):
    """One described operation.

    Attributes:
        method: The HTTP method.
        path: The pattern of its path.
        query: The names of its query parameters.
        body: The model of its body, or a union of models; None if it has none.
        reply: The model of its reply.
        errors: The statuses of its errors.
    """

    method: str
    path: re.Pattern[str]
    query: frozenset[str]
    body: Any
    reply: Any
    errors: frozenset[int]


@functools.cache
def operations() -> tuple[Operation, ...]:
    """Return the operations on billing of both descriptions, and those on people."""
    return (
        *(operation for room in _ROOMS for operation in _operations(room, "billing", "/settings/billing/")),
        *(each for module, path in _PEOPLE.items() for each in _operations(_ROOMS[0], module, f"'{path}'")),
    )


def violations(request: Incoming, reply: Reply) -> list[str]:
    """Return how a request and its reply differ from the description."""
    found = [each for each in operations() if each.method == request.method and each.path.fullmatch(request.path)]
    what = f"{request.method} {request.path}"
    if not found:
        return [] if request.path == "/rate_limit" else [f"{what}: no such operation"]
    operation = found[0]
    wrong = [f"{what}: the query has {name}" for name in request.parsed_query() if name not in operation.query]
    body = request.parsed_body() if request.body else {}
    if operation.body is not None:
        described = {name: value for name, value in body.items() if name not in NOT_DESCRIBED}
        wrong += [f"{what}: the body: {text}" for text in _misfits(operation.body, described)]
        wrong += [f"{what}: the body has {name}" for name in _names(operation.body, described)]
    elif body:
        wrong.append(f"{what}: a body")
    if reply.status < 300:
        wrong += [f"{what}: the reply: {text}" for text in _misfits(operation.reply, reply.body)]
    return wrong


def recorded(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Incoming, Reply]]:
    """Return the list of what sandboxes of this process get and answer from now on: without quirks and odd replies."""
    found: list[tuple[Incoming, Reply]] = []
    answer = Api.answer

    def record(self: Api, request: Incoming) -> Reply:
        reply = answer(self, request)
        is_ours = (request.headers.get("User-Agent") or "").startswith("github-billing-provider/")
        is_odd = self.shown or any(budget.shown_as for budget in self.state.budgets.values())
        if is_ours and not is_odd and not self.quirks.names():
            found.append((request, copy.deepcopy(reply)))
        return reply

    monkeypatch.setattr(Api, "answer", record)
    return found


def _misfits(model: Any, value: Any) -> list[str]:
    try:
        TypeAdapter(model).validate_python(value)
    except ValidationError as error:
        return [f"{detail['loc']} {detail['msg']}" for detail in error.errors()]
    return []


def fields_of(form: Any) -> dict[str, Any]:
    """Return the types of the fields of a model, or of all models of a union, by their names."""
    return {
        field.alias or name: field.annotation
        for model in _parts(form)
        if isinstance(model, type) and issubclass(model, BaseModel)
        for name, field in model.model_fields.items()
    }


def _names(form: Any, value: dict[str, Any]) -> Iterator[str]:
    """Yield the names in a body that the description lacks, in its objects too."""
    known = fields_of(form)
    for name, inner in value.items():
        if name not in known:
            yield name
        elif isinstance(inner, dict):
            yield from (f"{name}.{each}" for each in _names(known[name], inner))


def _parts(annotation: Any) -> Iterator[Any]:
    yield annotation
    for part in getattr(annotation, "__args__", ()):
        yield from _parts(part)


def _operations(room: str, name: str, path: str) -> Iterator[Operation]:
    module = importlib.import_module(f"{room}.rest.{name}")
    models = importlib.import_module(f"{room}.models")
    for function in ast.walk(ast.parse(Path(str(module.__file__)).read_text())):
        if isinstance(function, ast.FunctionDef) and path in ast.unparse(function):
            yield from _operation(function, models)


def _operation(function: ast.FunctionDef, models: Any) -> Iterator[Operation]:
    url, query, body = "", frozenset[str](), None
    for node in ast.walk(function):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            if node.targets[0].id == "url":
                url = _pattern(node.value)
            if node.targets[0].id == "params" and isinstance(node.value, ast.Dict):
                query = frozenset(str(ast.literal_eval(key)) for key in node.value.keys if key is not None)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "type_validate_python":
            body = _model(node.args[0], models)
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "self._github.request":
            given = {keyword.arg: keyword.value for keyword in node.keywords}
            errors = given.get("error_models")
            statuses = [ast.literal_eval(key) for key in errors.keys if key] if isinstance(errors, ast.Dict) else []
            reply = _model(given["response_model"], models) if "response_model" in given else Any
            method = str(ast.literal_eval(node.args[0]))
            yield Operation(method, re.compile(url), query, body, reply, frozenset(map(int, statuses)))


def _pattern(value: ast.expr) -> str:
    parts = value.values if isinstance(value, ast.JoinedStr) else [value]
    return "".join(re.escape(str(part.value)) if isinstance(part, ast.Constant) else "[^/]+" for part in parts)


class _Names(dict[str, Any]):
    """The models of a description, which load on first use."""

    def __init__(self, models: Any) -> None:
        super().__init__()
        self._models = models

    def __missing__(self, name: str) -> Any:
        return next(getattr(room, name) for room in (self._models, typing, builtins) if hasattr(room, name))


def _model(value: ast.expr, models: Any) -> Any:
    return eval(ast.unparse(value), {}, _Names(models))  # noqa: S307 - code of an installed package
