"""One policy for each rule, over the budgets of a stack; it needs the extra `policy`.

Pulumi gives a policy the values of secret inputs and not their names, so no text of a policy has a figure or a name of
a budget: Pulumi shows the resource.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from pulumi_policy import (
    EnforcementLevel,
    PolicyConfigSchema,
    PolicyPack,
    ResourceValidationPolicy,
    StackValidationPolicy,
)
from pulumi_policy.proxy import UnknownValueError

from billing_provider.adopt.states import TYPE_PREFIX
from billing_provider.audit.rules import AMOUNT, DEFAULTS, FLAG, NAMES, RULES, judge, read_setting
from billing_provider.audit.subjects import of_resource, of_resources

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from pulumi_policy import Policy, PolicyResource, ResourceValidationArgs, StackValidationArgs

    from billing_provider.audit.rules import AuditRule
    from billing_provider.audit.subjects import Subject

    Report = Callable[[str, str | None], Any]
    Resource = PolicyResource | ResourceValidationArgs

NAME = "github-billing"
"""The name of the pack, unless another one is given."""
_AMOUNT, _NAMES, _ON = "amount", "names", "on"
_FORMS: dict[str, tuple[str, Any]] = {
    FLAG: (_ON, {"type": "boolean"}),
    AMOUNT: (_AMOUNT, {"type": "number", "minimum": 0}),
}
_OTHER: tuple[str, Any] = (_NAMES, {"type": "array", "items": {"type": "string", "minLength": 1}})


def run_policy_pack(
    name: str = NAME, *, enforcement_level: str = "advisory", rules: Mapping[str, Any] | None = None
) -> None:
    """Serve the policies to the engine, until it ends the process: the program of a policy pack.

    Args:
        name: The name of the pack.
        enforcement_level: `advisory`, `mandatory` or `disabled`; the configuration of the pack can change it by policy.
        rules: As for `policies`.

    Raises:
        ConfigError: There is no such rule, or a setting does not fit.
        ValueError: There is no such enforcement level.
    """
    PolicyPack(name, policies(rules), EnforcementLevel(enforcement_level))


def policies(rules: Mapping[str, Any] | None = None) -> list[Policy]:
    """Return one policy for each rule.

    Args:
        rules: The rules that are on without a configuration of the pack, by name, with their settings: True, an amount,
            or a list of names. By default those without a setting are on.

    Raises:
        ConfigError: There is no such rule, or a setting does not fit.
    """
    given = DEFAULTS if rules is None else rules
    settings = {name: read_setting(name, value) for name, value in given.items()}
    return [_policy(rule, settings.get(name)) for name, rule in RULES.items()]


def _policy(rule: AuditRule, given: Any) -> Policy:
    """Return the policy of a rule; one that judges each budget by itself refuses it before it is written."""
    schema = PolicyConfigSchema(properties=dict([_form(rule)]))
    if rule.is_single:
        validate_one = partial(_validate_one, rule, given)
        return ResourceValidationPolicy(rule.name, rule.text, validate=validate_one, config_schema=schema)
    validate = partial(_validate_stack, rule, given)
    return StackValidationPolicy(rule.name, rule.text, validate=validate, config_schema=schema)


def _form(rule: AuditRule) -> tuple[str, Any]:
    """Return the key of a rule in the configuration of the pack, and the schema of its value."""
    return _FORMS.get(rule.setting, _OTHER)


def _validate_one(rule: AuditRule, given: Any, args: ResourceValidationArgs, report: Report) -> None:
    """Report a budget that breaks a rule."""
    _report(rule, _setting(rule, given, args), [args], report)


def _validate_stack(rule: AuditRule, given: Any, args: StackValidationArgs, report: Report) -> None:
    """Report the budgets of a stack that break a rule."""
    _report(rule, _setting(rule, given, args), args.resources, report)


def _setting(rule: AuditRule, given: Any, args: ResourceValidationArgs | StackValidationArgs) -> Any:
    """Return the setting of a rule, from the configuration of the pack or its program; without one, do not apply."""
    key, _ = _form(rule)
    configured = args.get_config().get(key)
    setting = given if configured is None else configured
    if setting is None or setting is False:
        args.not_applicable(f"it has no setting: configure `{key}` of {rule.name}")
    return read_setting(rule.name, setting)


def _report(rule: AuditRule, setting: Any, resources: Iterable[Resource], report: Report) -> None:
    shown = "" if setting is True else f" ({rule.name}={setting if rule.setting == NAMES else f'{setting:g}'})"
    # The rows of a table are one resource.
    found = {
        (f"{finding.what}: {finding.text}", None)
        if finding.subject is None
        else (f"{rule.text}: this one breaks it{shown}", finding.subject.urn): None
        for finding in judge(of_resources(_subjects(resources)), {rule.name: setting})
    }
    for text, urn in found:
        report(text, urn)


def _subjects(resources: Iterable[Resource]) -> Iterator[Subject]:
    for each in resources:
        if each.resource_type.startswith(TYPE_PREFIX):
            unknown = frozenset(name for name in each.props if not _is_known(each.props, name))
            fields = {name: _plain(each.props[name]) for name in each.props if name not in unknown}
            yield from of_resource(each.resource_type.removeprefix(TYPE_PREFIX), fields, unknown, each.name, each.urn)


def _is_known(props: Mapping[str, Any], name: str) -> bool:
    """Return whether a value is known in a preview, with all its parts."""
    try:
        _plain(props[name])
    except UnknownValueError:
        return False
    return True


def _plain(value: Any) -> Any:
    """Return a value without the proxies of the SDK, which raise an error where a value is not known."""
    if hasattr(value, "keys"):
        return {key: _plain(value[key]) for key in value}
    if isinstance(value, str) or not hasattr(value, "__iter__"):
        return value
    return [_plain(each) for each in value]
