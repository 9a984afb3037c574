"""Public API of the sandbox: start, stop, inspect, edit, inject faults."""

from __future__ import annotations

import copy
import secrets
import threading
from dataclasses import asdict, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from billing_provider.sandbox.http import control
from billing_provider.sandbox.http.api import Api
from billing_provider.sandbox.http.app import SandboxApp
from billing_provider.sandbox.http.faults import Plan
from billing_provider.sandbox.http.incoming import PREFIX
from billing_provider.sandbox.http.pipeline import Request, RequestPipeline
from billing_provider.sandbox.http.sockets import Server
from billing_provider.sandbox.operations import consumption
from billing_provider.sandbox.operations.access import OWNER_TOKEN
from billing_provider.sandbox.operations.budget_view import plain
from billing_provider.sandbox.operations.quirks import Quirks
from billing_provider.sandbox.seed import read as read_seed
from billing_provider.sandbox.store import ledger
from billing_provider.sandbox.store.clock import SandboxClock, wall
from billing_provider.sandbox.store.names import given_names, same_name
from billing_provider.sandbox.store.records import Spending, StoredBudget
from billing_provider.sandbox.store.state import SandboxState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from types import TracebackType

__all__ = ["Request", "Sandbox"]


@final
class Sandbox:
    """GitHub's billing API for one enterprise, served from this process while the `with` block lasts.

    It stores all changes and refuses unknown names, which GitHub may ignore. It does not imitate: whether users exist
    in writes, e-mails, the limit of 10,000 budgets, SAML, TLS and GitHub's delays.

    Args:
        port: The port on 127.0.0.1; 0 chooses a free one.
        enterprise: The slug of the enterprise, instead of that of the sample data.
        organizations: The logins of the organizations, instead of those of the sample data.
        users: The logins of the users, instead of those of the sample data.
        seed: The names, cost centers and budgets of a new sandbox, as JSON values, instead of the sample data.
        quirks: Names of switches, as `--list-quirks` prints them.
        state_file: The file that stores everything between runs.
        page_cap: The largest page of budgets and of team members; a small value makes paging easy to test.
        clock: Seconds since the epoch; dates, expiry and limits follow it. By default the machine's clock, or the fixed
            time in GITHUB_BILLING_TEST_TIME.
        on_request: Called after each request, in the thread that served it.
        create_unknown: Called with one line for each owner, organization or user that a request names and the sandbox
            does not know: it is then created, without usage. By default, unknown names are refused.
        app: Whether there is a GitHub App, `app_id` with `app_private_key`, installed on every owner. It needs the
            extra `app`.
        control: Whether `/_sandbox/` is on; requests need `control_token` in the header X-Sandbox-Control.
        token_suffix: The end of every token; by default a new one, which no other program can guess.

    Raises:
        ValueError: A name, the seed, a quirk, the state file or GITHUB_BILLING_TEST_TIME is invalid, or the extra `app`
            is missing.
    """

    def __init__(
        self,
        port: int = 0,
        *,
        enterprise: str | None = None,
        organizations: Sequence[str] | None = None,
        users: Sequence[str] | None = None,
        seed: Mapping[str, Any] | None = None,
        quirks: Iterable[str] = (),
        state_file: str | Path | None = None,
        page_cap: int = 100,
        clock: Callable[[], float] = wall,
        on_request: Callable[[Request], None] | None = None,
        create_unknown: Callable[[str], None] | None = None,
        app: bool = False,
        control: bool = False,
        token_suffix: str | None = None,
    ) -> None:
        names = given_names(enterprise, organizations=organizations, users=users)
        if empty := [kind for kind, value in names.items() if not value]:
            raise ValueError(f"{empty[0]}: it is empty")
        if seed is not None and names:
            raise ValueError(f"seed: it has the names; omit {', '.join(names)}")
        seeded = None if seed is None else read_seed(seed, clock)
        self._clock = SandboxClock(clock)
        state = SandboxState(clock, None if state_file is None else Path(state_file), names, seeded, create_unknown)
        self._api = Api(state, Quirks(quirks), page_cap, has_app=app, token_suffix=token_suffix)
        self._pipeline = RequestPipeline(self._api, on_request)
        self._port = port
        self._server: Server | None = None
        self._thread: threading.Thread | None = None
        self.app_id, self.app_private_key = (
            ("", "") if self._api.app is None else (SandboxApp.id, self._api.app.private_key)
        )
        self.control_token = secrets.token_hex(8) if control else ""

    def start(self) -> Sandbox:
        """Open the port and serve in a background thread; a second call does nothing."""
        if self._server is not None:
            return self
        routes = {route: partial(act, self) for route, act in _CONTROL.items()}
        self._server = Server(self._port, self._pipeline, partial(control.answer, self.control_token, routes))
        self._port = self._server.server_address[1]
        self._api.url = self.url
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Close the port and every connection, and restore the time; a second call does nothing."""
        self._clock.restore()
        if self._server is None or self._thread is None:
            return
        self._server.close()
        self._thread.join()
        self._server = self._thread = None

    def __enter__(self) -> Sandbox:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def url(self) -> str:
        """The base URL for clients; it has a path prefix."""
        return f"http://127.0.0.1:{self._port}{PREFIX}"

    @property
    def tokens(self) -> dict[str, str]:
        """The tokens by the names of their roles, such as `tokens["sandbox-read-only"]`."""
        return {token.name: text for text, token in self._api.tokens.items()}

    @property
    def token(self) -> str:
        """The token of the enterprise owner."""
        return self.tokens[OWNER_TOKEN]

    @property
    def clock(self) -> SandboxClock:
        """The time: `now()`, `set("2026-12-01")` and `advance(days=40)`, also for the stacks of the same test."""
        return self._clock

    @property
    def requests(self) -> list[Request]:
        """The last 10,000 requests since the start or the last `forget_requests`, in the order of their answers."""
        return self._pipeline.log.entries()

    @property
    def writes(self) -> list[Request]:
        """The requests that were not GET."""
        return [request for request in self.requests if request.method != "GET"]

    def forget_requests(self) -> None:
        """Empty the log."""
        self._pipeline.forget_requests()

    def budgets(self, owner: str | None = "") -> list[dict[str, Any]]:
        """Return the stored budgets of one owner (default: the enterprise; None: all owners), without quirks."""
        with self._api.lock:
            wanted = next(iter(self._api.state.known.enterprises), None) if owner == "" else owner
            self._pipeline.execute_late()
            return [
                {"owner_kind": budget.owner_kind, "owner": budget.owner, **plain(self._api.state, budget)}
                for budget in self._api.state.budgets.values()
                if wanted is None or same_name(budget.owner, wanted)
            ]

    def add_budget(self, owner_kind: str, slug: str, **fields: Any) -> dict[str, Any]:
        """Store a budget directly, not through the API, and return it; missing fields have defaults.

        Args:
            owner_kind: `enterprise` or `organization`.
            slug: The owner's slug or login.
            fields: GitHub's names; `budget_entity_name` of a cost-center budget is a UUID or a name. `shown_as` are
                fields that replies have instead, such as `{"budget_product_skus": ["actions", "codespaces"]}`.
        """
        defaults: dict[str, Any] = {
            "budget_scope": owner_kind,
            "budget_entity_name": slug,
            "budget_type": "ProductPricing",
            "budget_product_sku": "actions",
            "budget_amount": 0,
            "prevent_further_usage": False,
            "budget_alerting": {"will_alert": False, "alert_recipients": []},
        }
        with self._api.lock:
            state = self._api.state
            state.find_name(owner_kind, slug)
            budget = StoredBudget(
                state.new_id(), owner_kind, slug, created_at=state.clock(), **self._stored({**defaults, **fields})
            )
            state.budgets[budget.id] = budget
            state.save()
            return plain(state, budget)

    def edit_budget(self, budget_id: str, **fields: Any) -> dict[str, Any]:
        """Change fields of a budget directly, not through the API, and return it.

        Raises:
            KeyError: There is no such budget.
            TypeError: A budget has no such field.
        """
        with self._api.lock:
            budgets = self._api.state.budgets
            budgets[budget_id] = replace(budgets[budget_id], **self._stored(fields))
            self._api.state.save()
            return plain(self._api.state, budgets[budget_id])

    def approve_raise(self, user: str, amount: int, owner: str | None = None) -> dict[str, Any]:
        """Approve a user's request for a higher amount: it becomes the total of the user's budget, which is returned.

        GitHub has no API for requests and approvals.

        Args:
            user: The login of the user.
            amount: The new total in whole US dollars a month.
            owner: The slug or login of the owner of the budget; by default the enterprise.

        Raises:
            ValueError: The user has no budget there, or the amount is no whole number above its amount.
        """
        with self._api.lock:
            state = self._api.state
            wanted = state.names.enterprises[0] if owner is None else owner
            found = (
                budget
                for budget in state.budgets.values()
                if budget.budget_scope == "user"
                and same_name(budget.owner, wanted)
                and same_name(budget.user or "", user)
            )
            budget = next(found, None)
            if budget is None:
                raise ValueError(f"{user} has no budget of the scope user in {wanted}")
            if type(amount) is not int or amount <= budget.budget_amount:
                raise ValueError(f"amount: a whole number above {budget.budget_amount} is needed")
            return self.edit_budget(budget.id, budget_amount=amount)

    def remove_budget(self, budget_id: str) -> None:
        """Delete a budget directly, not through the API.

        Raises:
            KeyError: There is no such budget.
        """
        with self._api.lock:
            del self._api.state.budgets[budget_id]
            self._api.state.save()

    def spend(
        self,
        organization: str,
        sku: str,
        amount: float,
        *,
        user: str = "",
        repository: str = "",
        model: str = "",
        day: str | None = None,
    ) -> None:
        """Add usage to reports, budgets and user states; from the first call on, no usage is generated.

        Args:
            organization: The login of the organization.
            sku: The SKU, such as `copilot_premium_request`.
            amount: Billed dollars with at most two decimals, or a number of licenses; those of GHAS are in use until
                the end of the month, and a hard stop below their number is refused.
            user: The login of the user; without one, no user state shows it.
            repository: The repository, as OWNER/NAME.
            model: The model, for AI credits and premium requests.
            day: The day, by default today; a budget counts usage from the day of its creation on.

        Raises:
            ValueError: A name, the SKU, the amount or the day is invalid.
        """
        with self._api.lock:
            state = self._api.state
            on = state.today().isoformat() if day is None else day
            given = Spending(on, organization, repository, user, sku, model, ledger.units_of(sku, amount))
            state.spent.append(ledger.checked(state, given))
            state.save()

    def blocked(self) -> list[dict[str, Any]]:
        """Return the exhausted hard budgets: id, scope and whom each stops."""
        with self._api.lock:
            return consumption.blocked(self._api.state, self._api.quirks)

    def cost_centers(self) -> list[dict[str, Any]]:
        """Return all cost centers as stored, archived ones too."""
        with self._api.lock:
            return [copy.deepcopy(vars(center)) for center in self._api.state.cost_centers.values()]

    def set_team_members(self, team: str, logins: Iterable[str]) -> None:
        """Set the members of an enterprise team directly, not through the API; a new one is created.

        Args:
            team: The slug of the team, without `ent:`.
            logins: The logins of all its members.
        """
        with self._api.lock:
            self._api.state.enterprise_teams[team] = list(logins)
            self._api.state.save()

    def rename_cost_center(self, reference: str, name: str) -> None:
        """Rename the cost center with that UUID or name directly, not through the API.

        Raises:
            KeyError: There is no such cost center.
        """
        with self._api.lock:
            center = self._api.state.find_cost_center(reference)
            if center is None:
                raise KeyError(reference)
            center.name = name
            self._api.state.save()

    def show_oddly(self, operation: str, **fields: Any) -> None:
        """Show other fields in each reply to an operation, of a listing in its first row: what GitHub may send one day.

        Args:
            operation: Such as `get_cost_center`, `list_cost_centers`, `usage_report` or `list_user_states`.
            fields: The fields, with any values; none ends it.
        """
        with self._api.lock:
            self._api.shown[operation] = fields

    def install_app(self, owner: str, permissions: Mapping[str, str] | None) -> None:
        """Set what the App may do on an account, such as `enterprise_billing="read"`; None uninstalls it there.

        Raises:
            ValueError: The sandbox has no App.
        """
        with self._api.lock:
            if self._api.app is None:
                raise ValueError("the sandbox has no App: start it with app=True")
            self._api.app.install(owner, permissions)

    def switch(self, quirk: str, *, on: bool = True) -> None:
        """Switch a quirk on or off while the sandbox serves."""
        with self._api.lock:
            self._api.quirks.switch(quirk, on=on)

    def reset(self) -> None:
        """Reset to the sample data or the seed, an empty log, no faults and counters at 0.

        Quirks and given names stay; names that were created for requests are forgotten.
        """
        with self._api.lock:
            self._api.state.reset()
            self._pipeline.forget()

    def plan(self, rules: Sequence[Mapping[str, Any]], *, required: bool = True) -> None:
        """Replace the planned faults; each rule is a JSON object as `faults.Rule` describes it.

        Args:
            rules: The rules; the first one that is due applies.
            required: Whether the faults must occur; `untriggered_faults` and the fixture `billing_sandbox` ignore the
                others.

        Raises:
            ValueError: A rule has an unknown name or action; nothing is replaced then.
        """
        plan = Plan(rules, required=required)
        with self._api.lock:
            self._pipeline.plan = plan

    def triggered_faults(self) -> list[dict[str, Any]]:
        """Return the planned faults that occurred, each with its count."""
        return [rule.description() for rule in self._pipeline.plan.rules if rule.triggered]

    def untriggered_faults(self) -> list[dict[str, Any]]:
        """Return the required faults that occurred less often than planned; `billing_sandbox` fails a test with any."""
        plan = self._pipeline.plan
        return [rule.description() for rule in plan.rules if plan.required and rule.is_untriggered()]

    @property
    def misdirected_requests(self) -> list[str]:
        """Requests that should not have been sent: to another host after a redirect, or a token with a download."""
        return list(self._pipeline.misdirected_requests)

    @property
    def requests_while_blocked(self) -> int:
        """The number of requests before the end of a requested wait; reads that can have been on their way are none."""
        return self._api.limits.requests_while_blocked

    @property
    def unpaced_writes(self) -> int:
        """The number of writes less than one second after the previous one."""
        return self._api.limits.unpaced_writes

    def snapshot(self) -> dict[str, Any]:
        """Return everything stored, in the format of the state file."""
        with self._api.lock:
            return self._api.state.content()

    def restore(self, content: Mapping[str, Any]) -> None:
        """Restore a snapshot.

        Raises:
            ValueError: It is not a snapshot.
            FileError: The state file cannot be written.
        """
        with self._api.lock:
            self._api.state.restore(content)

    def quirks(self) -> list[str]:
        """Return the names of the quirks that are on, sorted."""
        return self._api.quirks.names()

    def _stored(self, fields: dict[str, Any]) -> dict[str, Any]:
        if fields.get("budget_scope", "cost_center") in {"cost_center", "multi_user_cost_center"}:
            center = self._api.state.find_cost_center(str(fields.get("budget_entity_name")))
            if center is not None:
                return {**copy.deepcopy(fields), "budget_entity_name": center.id}
        return copy.deepcopy(fields)


def _switch(sandbox: Sandbox, wanted: Any) -> None:
    if not isinstance(wanted, dict) or not all(isinstance(on, bool) for on in wanted.values()):
        raise ValueError("the body must be an object that maps quirk names to true or false")
    # Check all names first: with a wrong name, nothing is switched.
    Quirks(wanted)
    for name, on in wanted.items():
        sandbox.switch(name, on=on)


def _approve(sandbox: Sandbox, wanted: Any) -> dict[str, Any]:
    if not isinstance(wanted, dict) or not {"user", "amount"} <= set(wanted) <= {"user", "amount", "owner"}:
        raise ValueError("the body must be an object with user and amount, and owner if it is not the enterprise")
    user, owner = str(wanted["user"]), wanted.get("owner")
    return sandbox.approve_raise(user, wanted["amount"], None if owner is None else str(owner))


def _faults(sandbox: Sandbox, _: Any) -> dict[str, Any]:
    return {
        "triggered": sandbox.triggered_faults(),
        "untriggered": sandbox.untriggered_faults(),
        "requests_while_blocked": sandbox.requests_while_blocked,
        "unpaced_writes": sandbox.unpaced_writes,
        "misdirected_requests": sandbox.misdirected_requests,
    }


# What the routes of the control plane do with the JSON value of the body.
_CONTROL: dict[str, Callable[[Sandbox, Any], Any]] = {
    "GET /requests": lambda sandbox, _: [asdict(entry) for entry in sandbox.requests],
    "DELETE /requests": lambda sandbox, _: sandbox.forget_requests(),
    "GET /faults": _faults,
    "PUT /faults": Sandbox.plan,
    "GET /quirks": lambda sandbox, _: sandbox.quirks(),
    "PATCH /quirks": _switch,
    "POST /raises": _approve,
    "GET /snapshot": lambda sandbox, _: sandbox.snapshot(),
    "PUT /snapshot": Sandbox.restore,
    "POST /reset": lambda sandbox, _: sandbox.reset(),
}
