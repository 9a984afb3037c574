"""Plans of Pulumi and of `try` as one value; their content is untrusted.

Pulumi writes a plan as one document (`pulumi preview --json`), or as a stream of events, one JSON text a line
(`PULUMI_ENABLE_STREAMING_JSON_PREVIEW`, `--event-log`). `billing-provider try --json` writes one document of its own.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pydantic import ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from billing_provider.adopt.states import MAX_BYTES, TABLE_TYPE, TYPE_PREFIX
from billing_provider.core.errors import ConfigError
from billing_provider.core.redact import MASK, clean
from billing_provider.core.resource import SECRET_INPUTS, secret_inputs
from billing_provider.storage import json_text
from billing_provider.storage.documents import Document, explain

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_SHOWN = 100
_SIGNATURE, _SECRET = "4dabf18193072939515e22adb298388d", "1b47061264138c4ac30d75fd1eb44270"
_UNKNOWN = {
    "04da6b54-80e4-46f7-96ec-b56ff0331ba9",
    "1c4a061d-8072-4f0a-a4cb-0ff528b18fe7",
    "3eeb2bf0-c639-47a8-9e75-3b44932eb421",
    "6a19a0b0-7e62-4c92-b797-7f8e31da9cc2",
    "dd056dcd-154b-4c76-9bd3-c8f88648b5ff",
}
"""What Pulumi writes for a text, flag, number, list or mapping that is not known yet."""
_UNKNOWN_OF_TRY = "[unknown]"
_PARTS = {"steps", "changeSummary"}
_PREFIXES = {"warning": "warning: ", "error": "error: "}
# A replacement is one step of these names, and two halves.
_REPLACE, _HALVES, _REFRESH = "replace", {"create-replacement", "delete-replaced"}, "refresh"


class _PlannedSide(Document):
    """A resource before or after a step."""

    model_config = ConfigDict(alias_generator=to_camel)

    id: str = ""
    retain_on_delete: bool = False
    inputs: dict[str, Any] = Field(default_factory=dict)
    outputs: dict[str, Any] = Field(default_factory=dict)


class _Step(Document):
    model_config = ConfigDict(alias_generator=to_camel)

    op: str
    urn: str
    old_state: _PlannedSide | None = None
    new_state: _PlannedSide | None = None
    diff_reasons: list[str] = Field(default_factory=list)


class _Diagnostic(Document):
    urn: str = ""
    message: str = ""
    severity: str = ""


class _Document(Document):
    model_config = ConfigDict(alias_generator=to_camel)

    steps: list[_Step] = Field(default_factory=list)
    diagnostics: list[_Diagnostic] = Field(default_factory=list)
    change_summary: dict[str, int] = Field(default_factory=dict)


class _Metadata(Document):
    op: str
    urn: str
    old: _PlannedSide | None = None
    new: _PlannedSide | None = None
    diffs: list[str] = Field(default_factory=list)


class _Planned(Document):
    metadata: _Metadata


class _Summary(Document):
    model_config = ConfigDict(alias_generator=to_camel)

    resource_changes: dict[str, int] = Field(default_factory=dict)
    result: str = ""


class _Event(Document):
    model_config = ConfigDict(alias_generator=to_camel)

    sequence: int
    prelude_event: dict[str, Any] | None = None
    resource_pre_event: _Planned | None = None
    diagnostic_event: _Diagnostic | None = None
    summary_event: _Summary | None = None


class _TryStep(Document):
    op: str
    urn: str
    differs: list[str] = Field(default_factory=list)
    old: dict[str, Any] | None = None
    new: dict[str, Any] | None = None
    means: str = ""


class _Try(Document):
    verb: str
    ok: bool
    counts: dict[str, int]
    steps: list[_TryStep]
    diagnostics: list[_Diagnostic]


@dataclass(frozen=True)
class Values:
    """The inputs or outputs of a resource in a plan.

    Attributes:
        fields: Those that are known and may be shown, and the names of the secret ones.
        unknown: The names of those that are not known yet.
        hidden: The values of secret ones that the plan shows all the same: no text may show them.
    """

    fields: dict[str, Any] = field(default_factory=dict)
    unknown: frozenset[str] = frozenset()
    hidden: tuple[Any, ...] = ()

    @property
    def secret(self) -> frozenset[str]:
        """The names of the secret ones."""
        return secret_inputs(self.fields)

    @classmethod
    def of(cls, raw: Mapping[str, Any], *words: str) -> Values:
        """Return the values of a plan.

        Args:
            raw: As the plan has them.
            words: What stands for a value that is not known yet, besides Pulumi's own signs.
        """
        unknown = {name for name, value in raw.items() if _has(value, lambda each: _is_unknown(each, words))}
        secret = {name for name, value in raw.items() if _has(value, _is_secret)} | secret_inputs(raw)
        shown = {
            name: value
            for name, value in raw.items()
            if name not in unknown | secret and not name.startswith("__") and value is not None
        }
        hidden = tuple(raw[name] for name in sorted(secret & raw.keys()) if not _has(raw[name], _is_secret))
        return cls(
            {**shown, **({SECRET_INPUTS: sorted(secret)} if secret else {})}, frozenset(unknown - secret), hidden
        )


NOTHING = Values()
"""The values of no resource."""


@dataclass(frozen=True)
class PlannedStep:
    """What a plan does to one resource of this provider.

    Attributes:
        op: Pulumi's name of the operation.
        urn: The URN.
        old: The inputs before it.
        state: The outputs before it; of `try`, the inputs.
        new: The inputs after it.
        differs: The inputs that differ, as the plan says.
        id: The resource id before it; empty for a new one, and for `try`.
        retained: Whether the program keeps the object by Pulumi's option.
        means: What `try` says that the step means.
        said: What the preview says about the resource, one line each.
    """

    op: str
    urn: str
    old: Values = NOTHING
    state: Values = NOTHING
    new: Values = NOTHING
    differs: frozenset[str] = frozenset()
    id: str = ""
    retained: bool = False
    means: str = ""
    said: tuple[str, ...] = ()

    @property
    def resource(self) -> str:
        """The name of the kind of resource; empty for that of another provider."""
        kind = _type(self.urn)
        return kind.removeprefix(TYPE_PREFIX) if kind.startswith(TYPE_PREFIX) else ""

    @property
    def known(self) -> Values:
        """What the state has of it before the step: its outputs, else its inputs."""
        return self.state if self.state.fields else self.old

    @property
    def name(self) -> str:
        """The name of the resource in the program."""
        return "::".join(self.urn.split("::")[3:])


@dataclass(frozen=True)
class ReviewedPlan:
    """What a plan does to the resources of this provider.

    Attributes:
        stack: The stack, as `PROJECT/STACK`.
        steps: The steps, in the order of their URNs.
        general: Warnings that are about no resource of this provider.
        errors: Why the preview failed; then the plan lacks steps.
        is_complete: Whether the plan has an end.
        only_state: Whether it is a refresh, which changes nothing on GitHub.
        left_out: How many unchanged resources it counts and does not list, of whatever provider.
        tables: The tables of user budgets of which the preview says something: components, which have no steps here.
    """

    stack: str
    steps: list[PlannedStep]
    general: list[str]
    errors: list[str]
    is_complete: bool = True
    only_state: bool = False
    left_out: int = 0
    tables: tuple[PlannedStep, ...] = ()


def read_plan(source: str, content: bytes) -> ReviewedPlan:
    """Return a plan.

    Args:
        source: Where it comes from, for messages.
        content: The output of `pulumi preview --json` or `billing-provider try --json`, or an event log.

    Raises:
        ConfigError: It is none of these, or too large.
    """
    shown = clean(source, _SHOWN)
    if len(content) > MAX_BYTES:
        raise ConfigError(f"{shown} has more than {MAX_BYTES // 1_000_000} MB, so it is not read")
    try:
        return _read(content)
    except ValidationError as error:
        reason = clean(explain(error), _SHOWN)
    except ValueError as error:
        reason = clean(str(error), _SHOWN)
    forms = "`pulumi preview --json`, an event log, or `billing-provider try --json`"
    raise ConfigError(f"{shown} is not a plan ({forms}): {reason}")


def _read(content: bytes) -> ReviewedPlan:
    lines = [line for line in content.splitlines() if line.strip()]
    if not lines:
        raise ValueError("it is empty")
    if lines[0].rstrip().endswith(b"}") and _is_event(json_text.load(lines[0])):
        return _of_events(_Event.model_validate(json_text.load(line)) for line in lines)
    document = json_text.load(content)
    if isinstance(document, dict) and "verb" in document:
        return _of_try(_Try.model_validate(document))
    if not isinstance(document, dict) or _PARTS.isdisjoint(document):
        raise ValueError("it has no steps")
    return _of_document(_Document.model_validate(document))


def _is_event(value: Any) -> bool:
    # Each event of Pulumi's engine has a number, whatever it is about.
    return isinstance(value, dict) and "sequence" in value


def _of_document(document: _Document) -> ReviewedPlan:
    steps = [_step(step.op, step.urn, step.old_state, step.new_state, step.diff_reasons) for step in document.steps]
    said = [
        _Diagnostic(urn=each.urn, message=_without_prefix(each), severity=each.severity)
        for each in document.diagnostics
    ]
    return _plan(steps, said, document.change_summary)


def _of_events(events: Iterable[_Event]) -> ReviewedPlan:
    steps: list[PlannedStep] = []
    said: list[_Diagnostic] = []
    summary = None
    for number, event in enumerate(events):
        is_more = event.resource_pre_event is not None or event.summary_event is not None
        if (event.prelude_event is not None and number) or (is_more and summary is not None):
            raise ValueError("it has more than one plan")
        if event.resource_pre_event is not None:
            data = event.resource_pre_event.metadata
            steps.append(_step(data.op, data.urn, data.old, data.new, data.diffs))
        if event.diagnostic_event is not None:
            said.append(event.diagnostic_event)
        summary = event.summary_event or summary
    plan = _plan(steps, said, summary.resource_changes if summary else {})
    is_failed = summary is not None and summary.result == "failed" and not plan.errors
    return replace(plan, errors=["it says no reason"] if is_failed else plan.errors, is_complete=summary is not None)


def _of_try(document: _Try) -> ReviewedPlan:
    steps = []
    for step in document.steps:
        old, new = (Values.of(side or {}, _UNKNOWN_OF_TRY) for side in (step.old, step.new))
        differs = frozenset(path.partition(".")[0].partition("[")[0] for path in step.differs)
        steps.append(PlannedStep(step.op, step.urn, old, old, new, differs, means=step.means))
    plan = _plan(steps, document.diagnostics, document.counts)
    is_failed = not document.ok and not plan.errors
    errors = ["it says no reason"] if is_failed else plan.errors
    return replace(plan, errors=errors, only_state=document.verb == _REFRESH)


def _step(op: str, urn: str, old: _PlannedSide | None, new: _PlannedSide | None, differs: list[str]) -> PlannedStep:
    before, after = old or _PlannedSide(), new or _PlannedSide()
    return PlannedStep(
        op,
        urn,
        Values.of(before.inputs),
        Values.of(before.outputs),
        Values.of(after.inputs),
        frozenset(differs),
        before.id,
        before.retain_on_delete,
    )


def _plan(steps: list[PlannedStep], diagnostics: Iterable[_Diagnostic], counts: Mapping[str, int]) -> ReviewedPlan:
    said: dict[str, list[str]] = {}
    errors, named = [], []
    for each in diagnostics:
        named.append(each.urn)
        text = clean(each.message)
        if each.severity == "error":
            errors.append(text)
        elif each.severity == "warning":
            said.setdefault(each.urn, []).append(text)
    ours = [step for step in steps if step.resource]
    by_urn: dict[str, list[PlannedStep]] = {}
    for step in ours:
        by_urn.setdefault(step.urn, []).append(step)
    merged = [
        replace(step, said=tuple(dict.fromkeys(said.get(urn, ()))))
        for urn, listed in sorted(by_urn.items())
        for step in _merged(listed)
    ]
    tables = tuple(
        PlannedStep("same", urn, said=tuple(dict.fromkeys(texts)))
        for urn, texts in sorted(said.items())
        if _type(urn) == TABLE_TYPE
    )
    known = {step.urn for step in (*ours, *tables)}
    general = [text for urn, texts in sorted(said.items()) if urn not in known for text in texts]
    listed = Counter(step.op for step in steps)
    only_state = bool(listed) and set(listed) <= {_REFRESH}
    left_out = max(0, counts.get("same", 0) - listed["same"] - (listed[_REFRESH] if only_state else 0))
    return ReviewedPlan(
        _stack([*(step.urn for step in steps), *filter(None, named)]),
        merged,
        list(dict.fromkeys(general)),
        errors,
        only_state=only_state,
        left_out=left_out,
        tables=tables,
    )


def _merged(steps: list[PlannedStep]) -> Iterator[PlannedStep]:
    """Yield the steps of one resource without the halves of its replacement, and without the refresh before it."""
    replaced = next((step for step in steps if step.op == _REPLACE), None)
    for step in steps:
        # Without ids, as in a plan of `try`, the values tell an older object that is still to be deleted.
        is_half = replaced and step.op in _HALVES and step.id in {replaced.id, ""} and step.old == replaced.old
        if not is_half and not (step.op == _REFRESH and len(steps) > 1):
            yield step


def _stack(urns: list[str]) -> str:
    urn = next(iter(urns), "")
    return "/".join(filter(None, (_part(urn, 1), _part(urn, 0).removeprefix("urn:pulumi:"))))


def _part(urn: str, number: int) -> str:
    parts = urn.split("::")
    return parts[number] if number < len(parts) else ""


def _type(urn: str) -> str:
    """Return the type of a resource without those of its parents."""
    return _part(urn, 2).rpartition("$")[2]


def _without_prefix(said: _Diagnostic) -> str:
    """Return a message without the word for its severity, which a document has in it and an event beside it."""
    return said.message.removeprefix(_PREFIXES.get(said.severity, ""))


def _has(value: Any, is_sign: Any) -> bool:
    if is_sign(value):
        return True
    if isinstance(value, dict):
        return any(_has(each, is_sign) for each in value.values())
    return isinstance(value, list) and any(_has(each, is_sign) for each in value)


def _is_secret(value: Any) -> bool:
    return value == MASK or (isinstance(value, dict) and value.get(_SIGNATURE) == _SECRET)


def _is_unknown(value: Any, words: tuple[str, ...]) -> bool:
    return isinstance(value, str) and (value in _UNKNOWN or value in words)
