"""The two budget resources for Pulumi programs: their inputs and outputs, without behaviour."""

from __future__ import annotations

import inspect
from collections.abc import Sequence  # noqa: TC003 - the SDK evaluates the getters' annotations
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, TypedDict

import pulumi
from pulumi.dynamic import Resource

from billing_provider.budgets import rules
from billing_provider.budgets.identity import natural_key
from billing_provider.budgets.models import read_inputs
from billing_provider.core.clock import Clock
from billing_provider.core.errors import ConfigError
from billing_provider.core.owners import COST_CENTER, OWNER_KINDS, USER, Owner
from billing_provider.provider import EnterpriseBudgetProvider, OrgBudgetProvider
from billing_provider.runtime.registry import read_key
from billing_provider.sdk.declaration import end_quietly, protected, secret_inputs, share_declared, share_id
from billing_provider.sdk.inputs import takes, to_send
from billing_provider.sdk.invoke import brief, check_settings, run_query
from billing_provider.sdk.late import add_late_outputs
from billing_provider.sdk.reading import id_to_read, with_known_id

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

    from pulumi.dynamic import ResourceProvider
    from typing_extensions import NotRequired, Required, Self, Unpack

    from billing_provider.budgets.skus import BudgetType
    from billing_provider.core.inputs import OnDelete, OnExisting, OnRaise, Problem
    from billing_provider.core.owners import BudgetScope, OrgBudgetScope, OwnerKind
    from billing_provider.sdk.cost_center import CostCenter
    from billing_provider.sdk.inputs import CollectionNotStr


@pulumi.input_type
class BudgetAlertingArgs:
    """Recipients of the alerts at 75, 90 and 100 % of the amount; GitHub fixes these thresholds.

    :param will_alert: Whether GitHub sends alerts.
    :param alert_recipients: Logins of the people who receive alerts (not e-mail addresses).
    """

    def __init__(
        self,
        *,
        will_alert: pulumi.Input[bool],
        alert_recipients: pulumi.Input[CollectionNotStr[pulumi.Input[str]]] = (),
    ) -> None:
        pulumi.set(self, "will_alert", will_alert)
        pulumi.set(self, "alert_recipients", alert_recipients)

    @property
    @pulumi.getter
    def will_alert(self) -> pulumi.Input[bool]:
        """Whether GitHub sends alerts."""
        return pulumi.get(self, "will_alert")  # type: ignore[no-any-return]

    @property
    @pulumi.getter
    def alert_recipients(self) -> pulumi.Input[Sequence[pulumi.Input[str]]]:
        """Logins of the people who receive alerts."""
        return pulumi.get(self, "alert_recipients")  # type: ignore[no-any-return]


class BudgetAlertingArgsDict(TypedDict):
    """`BudgetAlertingArgs` as a plain dict."""

    will_alert: pulumi.Input[bool]
    alert_recipients: NotRequired[pulumi.Input[CollectionNotStr[pulumi.Input[str]]]]


@pulumi.output_type
class BudgetAlerting(dict):  # type: ignore[type-arg]
    """Recipients of a budget's alerts, as an output."""

    will_alert: bool = pulumi.property("will_alert")
    """Whether GitHub sends alerts."""
    alert_recipients: list[str] = pulumi.property("alert_recipients")
    """Logins of the people who receive alerts."""


class BudgetArgs(TypedDict, total=False):
    """The inputs of a budget of any owner and scope; each accepts a plain value or an Output.

    :param budget_amount: Amount in whole US dollars a month, or in licenses for a license product; 0 or more.
    :param budget_product_sku: GitHub's identifier of the product or SKU, such as `actions` or `ai_credits`.
        A change replaces the budget.
    :param budget_type: `ProductPricing`, `SkuPricing` or `BundlePricing`; by default, derived from the SKU.
        A change replaces the budget.
    :param budget_scope: Scope of the budget; by default, the owner itself. A change replaces the budget.
    :param budget_entity_name: Organization, repository (`owner/name`) or cost center (name or UUID) that the budget
        covers. A change replaces the budget.
    :param user: Login of the user whose usage is limited; for the scope `user` only. A change replaces the budget.
    :param prevent_further_usage: Whether GitHub stops usage at the amount; by default False, but True for a per-user
        scope, which is always a hard stop.
    :param budget_alerting: Recipients of alerts; by default, no alerts are sent.
    :param expires_at: Date on which GitHub removes the budget, as a `date` or as `2027-01-31`; for the scope `user`
        only.
    :param exclude_cost_center_usage: Whether usage of cost centers is excluded; for the scope `enterprise` only.
    :param on_existing: How a create handles an existing budget: `adopt_if_identical` (default), `adopt` or `error`.
    :param on_delete: What a delete does with the budget on GitHub: `delete` (default for a created one) or `keep`
        (default for an adopted one).
    :param on_raise: What happens to a higher amount on GitHub, such as an approved raise: `revert` (default) takes it
        back, `keep` keeps it; for the scope `user` only.
    """

    budget_amount: Required[pulumi.Input[int]]
    budget_product_sku: Required[pulumi.Input[str]]
    budget_type: pulumi.Input[BudgetType] | None
    budget_entity_name: pulumi.Input[str] | None
    user: pulumi.Input[str] | None
    prevent_further_usage: pulumi.Input[bool] | None
    budget_alerting: pulumi.Input[BudgetAlertingArgs | BudgetAlertingArgsDict] | None
    expires_at: pulumi.Input[str] | pulumi.Input[date] | None
    exclude_cost_center_usage: pulumi.Input[bool] | None
    on_existing: pulumi.Input[OnExisting] | None
    on_delete: pulumi.Input[OnDelete] | None
    on_raise: pulumi.Input[OnRaise] | None


class EnterpriseBudgetArgs(BudgetArgs, total=False):
    """The inputs of an `EnterpriseBudget`.

    :param enterprise: Slug of the enterprise that owns the budget. A change replaces the budget.
    :param cost_center: The cost center covered, in place of `budget_entity_name`: a `CostCenter`, its id or its
        name. The scope is then `cost_center` where none is given.
    """

    enterprise: Required[pulumi.Input[str]]
    budget_scope: pulumi.Input[BudgetScope] | None
    cost_center: CostCenter | pulumi.Input[str] | None


class OrgBudgetArgs(BudgetArgs, total=False):
    """The inputs of an `OrgBudget`.

    :param organization: Login of the organization that owns the budget. A change replaces the budget.
    """

    organization: Required[pulumi.Input[str]]
    budget_scope: pulumi.Input[OrgBudgetScope] | None


def _output(name: str, kind: str) -> property:
    """Return an output of a resource as a property, which the SDK finds with its type."""

    def get(resource: pulumi.Resource) -> Any:
        if name not in vars(resource):
            raise AttributeError(f"{type(resource).__name__!r} object has no attribute {name!r}")
        return vars(resource)[name]

    get.__name__ = name
    get.__annotations__ = {"return": kind}
    return property(pulumi.getter(get))


class _Budget(Resource):
    """A budget resource: every input is also an output, and those from `budget_id` on are not inputs."""

    budget_amount: pulumi.Output[int]
    """Whole US dollars a month, or licenses for a license product."""
    budget_product_sku: pulumi.Output[str]
    """GitHub's identifier of the product or SKU."""
    budget_type: pulumi.Output[str]
    """The pricing type."""
    budget_scope: pulumi.Output[str]
    """What the budget covers."""
    budget_entity_name: pulumi.Output[str]
    """The organization, repository or cost center covered, as declared; empty for the owner itself."""
    user: pulumi.Output[str | None]
    """Login of the user whose usage is limited."""
    prevent_further_usage: pulumi.Output[bool]
    """Whether GitHub stops usage at the amount."""
    budget_alerting: pulumi.Output[BudgetAlerting | None]
    """The alert settings."""
    expires_at: pulumi.Output[str | None]
    """When GitHub removes the budget."""
    exclude_cost_center_usage: pulumi.Output[bool | None]
    """Whether usage of cost centers is excluded."""
    on_existing: pulumi.Output[str | None]
    """How a create handles an existing budget."""
    on_delete: pulumi.Output[str | None]
    """What a delete does with the budget on GitHub, if declared."""
    on_raise: pulumi.Output[str | None]
    """What happens to a higher amount on GitHub, if declared."""
    budget_id: pulumi.Output[str]
    """The id of the budget, assigned by GitHub."""
    consumed_amount: pulumi.Output[float | None]
    """US dollars used this month, if GitHub returns it; a change is never reported as a difference."""
    github_entity_name: pulumi.Output[str | None]
    """The entity as GitHub returns it: for a cost center its name, even if declared by UUID."""
    cost_center_id: pulumi.Output[str | None]
    """UUID of the cost center covered, as found when the budget was created."""
    adopted: pulumi.Output[bool]
    """Whether the budget existed before this resource."""
    kept_on_delete: pulumi.Output[bool | None]
    """Whether a delete keeps the budget on GitHub; absent, in a state of an older version, it does not."""
    raised_to: pulumi.Output[float | None]
    """The amount on GitHub if it is above `budget_amount` and `on_raise` is `keep`, as last read."""
    expired: pulumi.Output[bool | None]
    """True if the budget expired and does not exist on GitHub: removed, or never created."""

    _outputs: ClassVar[tuple[str, ...]]
    _provider_class: ClassVar[type[ResourceProvider]]
    _form: ClassVar[type[Any]]
    _owner_noun: ClassVar[str]

    def __init_subclass__(cls, **naming: str) -> None:
        super().__init_subclass__(**naming)
        # The SDK evaluates annotations of the class itself for each resource, but the texts of properties only once.
        annotations = {**inspect.get_annotations(cls), **inspect.get_annotations(_Budget)}
        cls._outputs = tuple(name for name in annotations if not name.startswith("_"))
        for name in cls._outputs:
            setattr(cls, name, _output(name, annotations[name]))
        cls.__annotations__ = {}

    def _declare(self, resource_name: str, opts: pulumi.ResourceOptions | None, args: dict[str, Any]) -> None:
        end_quietly()
        check_settings()
        alerting = args.get("budget_alerting")
        if isinstance(alerting, BudgetAlertingArgs):
            args = {**args, "budget_alerting": vars(alerting)}
        kind = OWNER_KINDS[self._owner_noun]
        sent = to_send(
            self._form,
            kind.resource,
            resource_name,
            args,
            read=partial(read_inputs, kind),
            rules=partial(_timeless_problems, kind),
        )
        super().__init__(self._provider_class(), resource_name, {**sent, **secret_inputs(sent)}, protected(opts, sent))
        add_late_outputs(self, self._outputs)
        if opts is None or opts.id is None:
            share_id(self)
            self._share_user(resource_name, sent)

    def _share_user(self, resource_name: str, args: dict[str, Any]) -> None:
        """Share the budget of one user, if its inputs are plain: a table may have its row."""
        owner, user, sku = (args.get(name) for name in (self._owner_noun, USER, "budget_product_sku"))
        if isinstance(owner, str) and isinstance(user, str) and isinstance(sku, str):
            fields = {"budget_scope": USER, USER: user, "budget_product_sku": sku}
            key = natural_key(Owner(OWNER_KINDS[self._owner_noun], owner), fields)
            share_declared(resource_name, [("", key.parts)])

    @classmethod
    def _get(
        cls, resource_name: str, id_: pulumi.Input[str] | None, opts: pulumi.ResourceOptions | None, key: dict[str, Any]
    ) -> Self:
        """Return a resource that only reads; the key is that of a declaration."""
        noun = cls._owner_noun

        def find(**known: Any) -> str:
            from billing_provider.reader import Reader  # noqa: PLC0415 - most programs only declare

            return run_query(Reader.find_budget, noun=noun, key=known)

        if isinstance(id_, str):
            share_declared(resource_name, [("", read_key(id_.rpartition("/")[2]))])
        read = id_to_read(cls.__name__, resource_name, id_, key, find)
        self = cls.__new__(cls)
        self._declare(resource_name, pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(id=read)), {})
        return with_known_id(self, read)


class EnterpriseBudget(_Budget, module="github-billing", name="EnterpriseBudget"):
    """A monthly budget of an enterprise: an alert, or a hard stop.

    Scopes: `enterprise`, `organization`, `repository`, `cost_center`, `multi_user_customer`, `multi_user_cost_center`
    and `user`.

    GitHub: POST /enterprises/{enterprise}/settings/billing/budgets
    """

    enterprise: pulumi.Output[str]
    """Slug of the enterprise that owns the budget."""

    _provider_class = EnterpriseBudgetProvider
    _form = EnterpriseBudgetArgs
    _owner_noun = "enterprise"

    @takes(BudgetArgs, EnterpriseBudgetArgs)
    def __init__(
        self,
        resource_name: str,
        opts: pulumi.ResourceOptions | None = None,
        **budget: Unpack[EnterpriseBudgetArgs],
    ) -> None:
        """Declare a budget.

        Raises:
            ConfigError: An input has a wrong name or type, or two inputs exclude each other.

        Args:
            resource_name: Name of the resource in the program.
            opts: Pulumi's options of the resource.
            budget_amount: Amount in whole US dollars a month, or in licenses for a license product;
                0 or more.
            budget_product_sku: GitHub's identifier of the product or SKU, such as `actions` or
                `ai_credits`. A change replaces the budget.
            enterprise: Slug of the enterprise that owns the budget. A change replaces the budget.
            budget_type: `ProductPricing`, `SkuPricing` or `BundlePricing`; by default, derived from
                the SKU. A change replaces the budget.
            budget_scope: Scope of the budget; by default, the owner itself. A change replaces the
                budget.
            budget_entity_name: Organization, repository (`owner/name`) or cost center (name or
                UUID) that the budget covers. A change replaces the budget.
            user: Login of the user whose usage is limited; for the scope `user` only. A change
                replaces the budget.
            prevent_further_usage: Whether GitHub stops usage at the amount; by default False, but
                True for a per-user scope, which is always a hard stop.
            budget_alerting: Recipients of alerts; by default, no alerts are sent.
            expires_at: Date on which GitHub removes the budget, as a `date` or as `2027-01-31`; for
                the scope `user` only.
            exclude_cost_center_usage: Whether usage of cost centers is excluded; for the scope
                `enterprise` only.
            on_existing: How a create handles an existing budget: `adopt_if_identical` (default),
                `adopt` or `error`.
            on_delete: What a delete does with the budget on GitHub: `delete` (default for a created
                one) or `keep` (default for an adopted one).
            on_raise: What happens to a higher amount on GitHub, such as an approved raise: `revert`
                (default) takes it back, `keep` keeps it; for the scope `user` only.
            cost_center: The cost center covered, in place of `budget_entity_name`: a `CostCenter`,
                its id or its name. The scope is then `cost_center` where none is given.
        """
        self._declare(resource_name, opts, _with_entity(resource_name, dict(budget)))

    @classmethod
    def get(
        cls,
        resource_name: str,
        id: pulumi.Input[str] | None = None,  # noqa: A002 - Pulumi's name
        opts: pulumi.ResourceOptions | None = None,
        *,
        enterprise: pulumi.Input[str] | None = None,
        budget_product_sku: pulumi.Input[str] | None = None,
        budget_scope: pulumi.Input[BudgetScope] | None = None,
        budget_entity_name: pulumi.Input[str] | None = None,
        cost_center: CostCenter | pulumi.Input[str] | None = None,
        user: pulumi.Input[str] | None = None,
    ) -> Self:
        """Read a budget that is managed elsewhere, without changing or deleting it: by its id or by its key.

        :param resource_name: The name of this resource in the program.
        :param id: `enterprise/<slug>/<budget id>`, as the output `id` of a declared budget shows it, or the address of
            the budget in GitHub's API or on its pages.
        :param opts: Options of the resource.
        :param enterprise: Slug of the enterprise; this and the inputs below are the key, as in a declaration.
        :param budget_product_sku: GitHub's identifier of the product or SKU.
        :param budget_scope: Scope of the budget; by default, the enterprise.
        :param budget_entity_name: Organization, repository or cost center that the budget covers.
        :param cost_center: The cost center covered, in place of `budget_entity_name`.
        :param user: Login of the user, for the scope `user`.

        Raises:
            ConfigError: Both or none of id and key are given, or both `cost_center` and `budget_entity_name`.
        """
        key = {
            "enterprise": enterprise,
            "budget_product_sku": budget_product_sku,
            "budget_scope": budget_scope,
            "budget_entity_name": budget_entity_name,
            "cost_center": cost_center,
            "user": user,
        }
        return cls._get(resource_name, id, opts, _with_entity(resource_name, key))


class OrgBudget(_Budget, module="github-billing", name="OrgBudget"):
    """A monthly budget of an organization: an alert, or a hard stop.

    Scopes: `organization`, `repository`, `multi_user_customer` and `user`.

    GitHub: POST /organizations/{org}/settings/billing/budgets
    """

    organization: pulumi.Output[str]
    """Login of the organization that owns the budget."""

    _provider_class = OrgBudgetProvider
    _form = OrgBudgetArgs
    _owner_noun = "organization"

    @takes(BudgetArgs, OrgBudgetArgs)
    def __init__(
        self,
        resource_name: str,
        opts: pulumi.ResourceOptions | None = None,
        **budget: Unpack[OrgBudgetArgs],
    ) -> None:
        """Declare a budget.

        Raises:
            ConfigError: An input has a wrong name or type, or two inputs exclude each other.

        Args:
            resource_name: Name of the resource in the program.
            opts: Pulumi's options of the resource.
            budget_amount: Amount in whole US dollars a month, or in licenses for a license product;
                0 or more.
            budget_product_sku: GitHub's identifier of the product or SKU, such as `actions` or
                `ai_credits`. A change replaces the budget.
            organization: Login of the organization that owns the budget. A change replaces the
                budget.
            budget_type: `ProductPricing`, `SkuPricing` or `BundlePricing`; by default, derived from
                the SKU. A change replaces the budget.
            budget_scope: Scope of the budget; by default, the owner itself. A change replaces the
                budget.
            budget_entity_name: Organization, repository (`owner/name`) or cost center (name or
                UUID) that the budget covers. A change replaces the budget.
            user: Login of the user whose usage is limited; for the scope `user` only. A change
                replaces the budget.
            prevent_further_usage: Whether GitHub stops usage at the amount; by default False, but
                True for a per-user scope, which is always a hard stop.
            budget_alerting: Recipients of alerts; by default, no alerts are sent.
            expires_at: Date on which GitHub removes the budget, as a `date` or as `2027-01-31`; for
                the scope `user` only.
            exclude_cost_center_usage: Whether usage of cost centers is excluded; for the scope
                `enterprise` only.
            on_existing: How a create handles an existing budget: `adopt_if_identical` (default),
                `adopt` or `error`.
            on_delete: What a delete does with the budget on GitHub: `delete` (default for a created
                one) or `keep` (default for an adopted one).
            on_raise: What happens to a higher amount on GitHub, such as an approved raise: `revert`
                (default) takes it back, `keep` keeps it; for the scope `user` only.
        """
        self._declare(resource_name, opts, dict(budget))

    @classmethod
    def get(
        cls,
        resource_name: str,
        id: pulumi.Input[str] | None = None,  # noqa: A002 - Pulumi's name
        opts: pulumi.ResourceOptions | None = None,
        *,
        organization: pulumi.Input[str] | None = None,
        budget_product_sku: pulumi.Input[str] | None = None,
        budget_scope: pulumi.Input[OrgBudgetScope] | None = None,
        budget_entity_name: pulumi.Input[str] | None = None,
        user: pulumi.Input[str] | None = None,
    ) -> Self:
        """Read a budget that is managed elsewhere, without changing or deleting it: by its id or by its key.

        :param resource_name: The name of this resource in the program.
        :param id: `organization/<login>/<budget id>`, as the output `id` of a declared budget shows it, or the address
            of the budget in GitHub's API or on its pages.
        :param opts: Options of the resource.
        :param organization: Login of the organization; this and the inputs below are the key, as in a declaration.
        :param budget_product_sku: GitHub's identifier of the product or SKU.
        :param budget_scope: Scope of the budget; by default, the organization.
        :param budget_entity_name: Repository that the budget covers.
        :param user: Login of the user, for the scope `user`.

        Raises:
            ConfigError: Both or none of id and key are given.
        """
        key = {
            "organization": organization,
            "budget_product_sku": budget_product_sku,
            "budget_scope": budget_scope,
            "budget_entity_name": budget_entity_name,
            "user": user,
        }
        return cls._get(resource_name, id, opts, key)


def _with_entity(resource_name: str, args: dict[str, Any]) -> dict[str, Any]:
    """Return the inputs with the cost center as the entity.

    Raises:
        ConfigError: Both `cost_center` and `budget_entity_name` are given, or the cost center has a wrong type.
    """
    center = args.pop("cost_center", None)
    if center is not None:
        if args.get("budget_entity_name") is not None:
            raise brief(ConfigError(f"{resource_name}: give either cost_center or budget_entity_name, not both"))
        from billing_provider.sdk.cost_center import budget_entity  # noqa: PLC0415 - many programs have no cost center

        args["budget_entity_name"] = budget_entity(resource_name, center)
        if args.get("budget_scope") is None:
            args["budget_scope"] = COST_CENTER
    return args


def _timeless_problems(kind: OwnerKind, fields: Mapping[str, Any], unsure: frozenset[str]) -> Iterator[Problem]:
    """Yield the problems of inputs that do not depend on the date: the plugin knows whether a budget may be over."""
    timeless = {name: value for name, value in fields.items() if name != "expires_at"}
    return rules.problems(kind, timeless, unsure, Clock().utc())
