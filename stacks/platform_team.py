"""A component with a team, its repositories and their budgets."""

from collections.abc import Mapping, Sequence

import pulumi
import pulumi_github as github

from billing_provider import BudgetAlertingArgs, OrgBudget

HEADROOM_USD = 50


class PlatformTeam(pulumi.ComponentResource):
    """A team whose repositories each have an Actions budget, under one budget of the organization.

    :param name: The name of the team, and of this component in the program.
    :param organization: Login of the organization; the GitHub provider must be set up for the same one.
    :param repositories: The repositories by name, each with its US dollars a month.
    :param alert_recipients: Logins of the people who receive alerts.
    """

    monthly_cap_usd: pulumi.Output[int]
    """Total budget of all repositories, with headroom."""

    def __init__(
        self,
        name: str,
        *,
        organization: str,
        repositories: Mapping[str, int],
        alert_recipients: Sequence[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        super().__init__("examples:index:PlatformTeam", name, None, opts)
        mine = pulumi.ResourceOptions(parent=self)
        alerting = BudgetAlertingArgs(will_alert=True, alert_recipients=list(alert_recipients))
        team = github.Team(name, name=name, privacy="closed", opts=mine)
        budgets = []
        for repository_name, amount in repositories.items():
            repository = github.Repository(repository_name, name=repository_name, visibility="private", opts=mine)
            github.TeamRepository(
                repository_name, team_id=team.id, repository=repository.name, permission="push", opts=mine
            )
            budgets.append(
                OrgBudget(
                    f"{repository_name}-actions",
                    organization=organization,
                    budget_scope="repository",
                    # Uses the repository's output, so that the repository is created first.
                    budget_entity_name=pulumi.Output.concat(organization, "/", repository.name),
                    budget_product_sku="actions",
                    budget_amount=amount,
                    prevent_further_usage=True,
                    budget_alerting=alerting,
                    opts=mine,
                )
            )
        together = pulumi.Output.all(*[budget.budget_amount for budget in budgets])
        umbrella = OrgBudget(
            f"{name}-actions",
            organization=organization,
            budget_product_sku="actions",
            budget_amount=together.apply(lambda amounts: sum(amounts) + HEADROOM_USD),
            budget_alerting=alerting,
            opts=mine,
        )
        self.monthly_cap_usd = umbrella.budget_amount
        self.register_outputs({"monthly_cap_usd": self.monthly_cap_usd})


platform = PlatformTeam(
    "platform",
    organization="octo-org",
    repositories={"website": 120, "api": 300},
    alert_recipients=["monalisa"],
)

pulumi.export("monthly_cap_usd", platform.monthly_cap_usd)
