"""The cost center resource for Pulumi programs: its inputs and outputs, without behaviour."""

from __future__ import annotations

import inspect
import re
from collections.abc import Sequence  # noqa: TC003 - the SDK evaluates the annotations of outputs
from typing import TYPE_CHECKING, Any, TypedDict

import pulumi
from pulumi.dynamic import Resource

from billing_provider.core.errors import ConfigError
from billing_provider.core.values import kind_of, scalar
from billing_provider.cost_centers.rules import INPUTS, problems, read_inputs
from billing_provider.cost_centers.states import OUTPUTS
from billing_provider.provider import CostCenterProvider
from billing_provider.sdk.declaration import end_quietly, secret_inputs, share_id
from billing_provider.sdk.inputs import takes, to_send
from billing_provider.sdk.invoke import brief, check_settings, run_query
from billing_provider.sdk.reading import id_to_read, with_known_id

if TYPE_CHECKING:
    from typing_extensions import Required, Unpack

    from billing_provider.core.inputs import OnDelete, OnExisting
    from billing_provider.sdk.inputs import CollectionNotStr

_RESOURCE_ID = re.compile(r"enterprise/[^/]+/([0-9a-fA-F-]{36})", re.ASCII)


class CostCenterArgs(TypedDict, total=False):
    """The inputs of a `CostCenter`; each accepts a plain value or an Output.

    A list of members is complete for its kind: members that are not in the list are removed. If a list is omitted,
    members of that kind are not changed.

    :param enterprise: Slug of the enterprise. A change replaces the cost center.
    :param name: Its name, unique in the enterprise.
    :param users: Logins.
    :param organizations: Logins of organizations.
    :param repositories: Repositories as `owner/name`.
    :param enterprise_teams: Slugs of enterprise teams.
    :param ai_credit_pool_enabled: Whether it draws from the pool of AI credits; only for users and enterprise teams.
    :param on_existing: What a create does if a cost center of this name exists. `adopt_if_identical` (the default)
        adopts it if all declared inputs are equal, or if only declared members are missing and all its members are
        declared; the missing ones are added. `adopt` adopts it and changes it. `error` stops.
    :param on_delete: What a delete does with the cost center on GitHub: `delete` archives it (default for a created
        one), `keep` leaves it as it is (default for an adopted one).
    """

    enterprise: Required[pulumi.Input[str]]
    name: Required[pulumi.Input[str]]
    users: pulumi.Input[CollectionNotStr[pulumi.Input[str]]] | None
    organizations: pulumi.Input[CollectionNotStr[pulumi.Input[str]]] | None
    repositories: pulumi.Input[CollectionNotStr[pulumi.Input[str]]] | None
    enterprise_teams: pulumi.Input[CollectionNotStr[pulumi.Input[str]]] | None
    ai_credit_pool_enabled: pulumi.Input[bool] | None
    on_existing: pulumi.Input[OnExisting] | None
    on_delete: pulumi.Input[OnDelete] | None


class CostCenter(Resource, module="github-billing", name="CostCenter"):
    """A cost center of an enterprise with its members; deleting it archives or keeps it.

    GitHub: POST /enterprises/{enterprise}/settings/billing/cost-centers
    """

    enterprise: pulumi.Output[str]
    """Slug of the enterprise."""
    name: pulumi.Output[str]
    """Its name."""
    users: pulumi.Output[Sequence[str] | None]
    """Logins, if declared."""
    organizations: pulumi.Output[Sequence[str] | None]
    """Logins of organizations, if declared."""
    repositories: pulumi.Output[Sequence[str] | None]
    """Repositories, if declared."""
    enterprise_teams: pulumi.Output[Sequence[str] | None]
    """Slugs of enterprise teams, if declared."""
    ai_credit_pool_enabled: pulumi.Output[bool | None]
    """Whether it uses the pool of AI credits."""
    on_existing: pulumi.Output[str | None]
    """How a create handles an existing cost center of this name."""
    on_delete: pulumi.Output[str | None]
    """What a delete does with the cost center on GitHub, if declared."""
    cost_center_id: pulumi.Output[str]
    """The UUID, assigned by GitHub; a budget's `cost_center` accepts it."""
    state: pulumi.Output[str]
    """`active`."""
    azure_subscription: pulumi.Output[str | None]
    """The Azure subscription that is billed."""
    adopted: pulumi.Output[bool]
    """Whether it existed before this resource."""
    kept_on_delete: pulumi.Output[bool | None]
    """Whether a delete keeps it on GitHub; absent, in a state of an older version, it does not."""
    unfinished: pulumi.Output[bool | None]
    """Whether a create could not add all members; the next `up` adds the rest."""

    @takes(CostCenterArgs)
    def __init__(
        self, resource_name: str, opts: pulumi.ResourceOptions | None = None, **cost_center: Unpack[CostCenterArgs]
    ) -> None:
        """Declare a cost center.

        Raises:
            ConfigError: An input has a wrong name or type.

        Args:
            resource_name: Name of the resource in the program.
            opts: Pulumi's options of the resource.
            enterprise: Slug of the enterprise. A change replaces the cost center.
            name: Its name, unique in the enterprise.
            users: Logins.
            organizations: Logins of organizations.
            repositories: Repositories as `owner/name`.
            enterprise_teams: Slugs of enterprise teams.
            ai_credit_pool_enabled: Whether it draws from the pool of AI credits; only for users and
                enterprise teams.
            on_existing: What a create does if a cost center of this name exists.
                `adopt_if_identical` (the default) adopts it if all declared inputs are equal, or if
                only declared members are missing and all its members are declared; the missing ones
                are added. `adopt` adopts it and changes it. `error` stops.
            on_delete: What a delete does with the cost center on GitHub: `delete` archives it
                (default for a created one), `keep` leaves it as it is (default for an adopted one).
        """
        self._declare(resource_name, opts, dict(cost_center))

    def _declare(self, resource_name: str, opts: pulumi.ResourceOptions | None, args: dict[str, Any]) -> None:
        end_quietly()
        check_settings()
        # An output is available as an attribute only if its name is in the initial properties.
        sent = to_send(CostCenterArgs, "CostCenter", resource_name, args, read=read_inputs, rules=problems)
        props = {**dict.fromkeys((*INPUTS, *OUTPUTS)), **sent, **secret_inputs(sent)}
        super().__init__(CostCenterProvider(), resource_name, props, opts)
        if opts is None or opts.id is None:
            share_id(self)

    @classmethod
    def get(
        cls,
        resource_name: str,
        id: pulumi.Input[str] | None = None,  # noqa: A002 - Pulumi's name
        opts: pulumi.ResourceOptions | None = None,
        *,
        enterprise: pulumi.Input[str] | None = None,
        name: pulumi.Input[str] | None = None,
    ) -> CostCenter:
        """Read a cost center that is managed elsewhere, without changing or deleting it: by its id or by its name.

        :param resource_name: The name of this resource in the program.
        :param id: `enterprise/<slug>/<cost center id>`, as the output `id` of a declared one shows it, or its address
            in GitHub's API or on its pages.
        :param opts: Options of the resource.
        :param enterprise: Slug of the enterprise, with `name`.
        :param name: Its name.

        Raises:
            ConfigError: Both or none of id and name are given.
        """
        read = id_to_read("CostCenter", resource_name, id, {"enterprise": enterprise, "name": name}, _find)
        self = cls.__new__(cls)
        self._declare(resource_name, pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(id=read)), {})
        return with_known_id(self, read)


def _find(*, enterprise: str = "", name: str = "") -> str:
    from billing_provider.reader import Reader  # noqa: PLC0415 - most programs only declare

    return run_query(Reader.find_cost_center, enterprise=enterprise, name=name)


def budget_entity(resource_name: str, cost_center: Any) -> pulumi.Input[str]:
    """Return the `budget_entity_name` of a cost center: a resource, its resource id, its UUID or its name.

    Raises:
        ConfigError: It is none of these.
    """
    # Use the resource id: it stays known when a preview shows an update. Other outputs become unknown, and the preview
    # would then show the budget as replaced.
    name = cost_center.id if isinstance(cost_center, CostCenter) else scalar(cost_center)
    if isinstance(name, str):
        bare: str = _without_owner(name)
        return bare
    if isinstance(name, pulumi.Output) or inspect.isawaitable(name):
        return pulumi.Output.from_input(name).apply(lambda known: _without_owner(scalar(known)))
    raise brief(
        ConfigError(f"{resource_name}: cost_center: write a CostCenter, its id or its name, not {kind_of(name)}")
    )


def _without_owner(name: Any) -> Any:
    found = _RESOURCE_ID.fullmatch(name) if isinstance(name, str) else None
    return found[1] if found else name
