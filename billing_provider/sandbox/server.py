"""The sandbox as a thing to hold: start and stop it, look behind its doors, plan its faults."""

from __future__ import annotations

import copy
import secrets
import threading
import time
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from billing_provider.sandbox import consumption, control, exports, routes, sample
from billing_provider.sandbox.access import OWNER_TOKEN
from billing_provider.sandbox.api import PREFIX, Api, Incoming
from billing_provider.sandbox.budget_view import plain
from billing_provider.sandbox.call import Reply
from billing_provider.sandbox.faults import ACTIONS, Plan, Rule
from billing_provider.sandbox.quirks import Quirks
from billing_provider.sandbox.sockets import Server
from billing_provider.sandbox.state import Budget, State, same_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from types import TracebackType

__all__ = ["Request", "Sandbox"]

_BARE_WAIT = 60


@dataclass(frozen=True)
class Request:
    """One request of the log: the path without the prefix, the JSON body (None without one), and when it came.

    `status` is 0 where a planned fault left the client without an answer.
    """

    method: str
    path: str
    query: dict[str, str]
    body: Any
    status: int
    at: float


@final
class Sandbox:
    """GitHub's billing API for one enterprise, served from this process while the `with` block lasts.

    Args:
        port: The port on 127.0.0.1; 0 takes a free one.
        quirks: Names of switches, as `--list-quirks` prints them.
        state_file: Where everything is kept between two runs.
        page_cap: The largest page of budgets; small ones make paging cheap to test.
        clock: Seconds since the epoch; dates, expiry and limits follow it.
        on_request: Called after each request, in the thread that served it.
        control: Whether `/_sandbox/` answers whoever sends `control_token` in the header X-Sandbox-Control.
    """

    token = OWNER_TOKEN

    def __init__(
        self,
        port: int = 0,
        *,
        quirks: Iterable[str] = (),
        state_file: str | Path | None = None,
        page_cap: int = 100,
        clock: Callable[[], float] = time.time,
        on_request: Callable[[Request], None] | None = None,
        control: bool = False,
    ) -> None:
        state = State(clock, None if state_file is None else Path(state_file))
        self._api = Api(state, Quirks(quirks), page_cap)
        self._log: list[Request] = []
        self._on_request = on_request
        self._plan = Plan()
        self._late: list[tuple[float, Incoming]] = []
        self._port = port
        self._server: Server | None = None
        self._thread: threading.Thread | None = None
        self.control_token = secrets.token_hex(8) if control else ""
        self.strayed: list[str] = []

    def start(self) -> Sandbox:
        """Open the port and serve it from a thread of its own; a second call does nothing."""
        if self._server is not None:
            return self
        self._server = Server(self._port, self)
        self._port = self._server.server_address[1]
        self._api.url = self.url
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Close the port and every connection; a second call does nothing."""
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
        """The base URL for clients, with a path prefix as GitHub's own servers have it."""
        return f"http://127.0.0.1:{self._port}{PREFIX}"

    @property
    def requests(self) -> list[Request]:
        """All requests since the start or the last `forget_requests`, in the order they were answered."""
        return list(self._log)

    @property
    def writes(self) -> list[Request]:
        """The requests that were not GET."""
        return [request for request in self._log if request.method != "GET"]

    def forget_requests(self) -> None:
        """Empty the log."""
        self._log.clear()

    def budgets(self, owner: str | None = sample.ENTERPRISE) -> list[dict[str, Any]]:
        """Return what is stored for one owner, without quirks; of all owners when it is None."""
        with self._api.lock:
            self._land_late(self.now())
            return [
                {"owner_kind": budget.owner_kind, "owner": budget.owner, **plain(self._api.state, budget)}
                for budget in self._api.state.budgets.values()
                if owner is None or same_name(budget.owner, owner)
            ]

    def add_budget(self, owner_kind: str, slug: str, **fields: Any) -> dict[str, Any]:
        """Store a budget as somebody else would have, and return it; fields left out have plain defaults.

        Args:
            owner_kind: `enterprise` or `organization`.
            slug: Whose budget it is.
            fields: GitHub's names; `budget_entity_name` of a cost-center budget is a UUID or a name.
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
            budget = Budget(
                state.new_id(), owner_kind, slug, created_at=state.clock(), **self._stored({**defaults, **fields})
            )
            state.budgets[budget.id] = budget
            state.save()
            return plain(state, budget)

    def edit_budget(self, budget_id: str, **fields: Any) -> dict[str, Any]:
        """Change fields of a budget behind everybody's back, and return it.

        Raises:
            KeyError: There is no such budget.
        """
        with self._api.lock:
            budget = self._api.state.budgets[budget_id]
            for name, value in self._stored(fields).items():
                setattr(budget, name, value)
            self._api.state.save()
            return plain(self._api.state, budget)

    def remove_budget(self, budget_id: str) -> None:
        """Remove a budget behind everybody's back.

        Raises:
            KeyError: There is no such budget.
        """
        with self._api.lock:
            del self._api.state.budgets[budget_id]
            self._api.state.save()

    def blocked(self) -> list[dict[str, Any]]:
        """Return, for each hard budget that is used up, its id, its scope and whom it stops."""
        with self._api.lock:
            return consumption.blocked(self._api.state, self._api.quirks)

    def cost_centers(self) -> list[dict[str, Any]]:
        """Return all cost centers as stored, archived ones too."""
        with self._api.lock:
            return [copy.deepcopy(vars(center)) for center in self._api.state.cost_centers.values()]

    def rename_cost_center(self, reference: str, name: str) -> None:
        """Rename the cost center with that UUID or name behind everybody's back.

        Raises:
            KeyError: There is no such cost center.
        """
        with self._api.lock:
            center = self._api.state.find_cost_center(reference)
            if center is None:
                raise KeyError(reference)
            center.name = name
            self._api.state.save()

    def switch(self, quirk: str, *, on: bool = True) -> None:
        """Switch a quirk on or off while the sandbox serves."""
        with self._api.lock:
            self._api.quirks.switch(quirk, on=on)

    def reset(self) -> None:
        """Go back to the sample data, an empty log and no faults; quirks stay."""
        with self._api.lock:
            self._api.state.reset()
            self._log.clear()
            self._plan = Plan()
            self._late.clear()

    def plan(self, rules: Iterable[Mapping[str, Any]]) -> None:
        """Replace the planned faults; each rule is a JSON object as `faults.Rule` describes it.

        Raises:
            ValueError: A rule has an unknown name or action; nothing is replaced then.
        """
        plan = Plan(rules)
        with self._api.lock:
            self._plan = plan

    @property
    def met(self) -> list[dict[str, Any]]:
        """The planned faults that were met at least once, each with how often."""
        return [rule.description() for rule in self._plan.rules if rule.met]

    def unmet_faults(self) -> list[dict[str, Any]]:
        """Return the planned faults that were met less often than planned; a test should find none."""
        return [rule.description() for rule in self._plan.rules if rule.is_unmet()]

    @property
    def requests_while_blocked(self) -> int:
        """How many requests came though the client had been told to wait."""
        return self._api.limits.requests_while_blocked

    @property
    def hasty_writes(self) -> int:
        """How many writes came less than a second after the one before."""
        return self._api.limits.hasty_writes

    def snapshot(self) -> dict[str, Any]:
        """Return everything stored, as the state file holds it."""
        with self._api.lock:
            return self._api.state.content()

    def restore(self, content: Mapping[str, Any]) -> None:
        """Go back to a snapshot.

        Raises:
            ValueError: It is none.
        """
        with self._api.lock:
            self._api.state.restore(content)

    def quirks(self) -> list[str]:
        """Return the names of the quirks that are on, sorted."""
        return self._api.quirks.names()

    def serve(self, request: Incoming) -> Reply:
        """Answer one request, honestly or as planned, and write it to the log; the server's threads call this."""
        with self._api.lock:
            now = self.now()
            self._land_late(now)
            self._api.limits.arrive(now)
            found = routes.find(request.method, request.path)
            fault = self._plan.pick(request.method, request.path, found[0].operation if found else "")
            reply = self._api.answer(request) if fault is None else self._spoil(fault, request, now)
            entry = Request(
                request.method,
                request.path,
                request.parsed_query(),
                request.parsed_body(),
                int(reply.status) if reply.deliver == "plain" else 0,
                now,
            )
            self._log.append(entry)
        if self._on_request is not None:
            self._on_request(entry)
        return reply

    def steer(self, request: Incoming) -> Reply:
        """Answer a request of the control plane."""
        return control.answer(self, request)

    def download(self, request: Incoming) -> Reply:
        """Answer a request for the CSV of an export; GitHub keeps it on another host, which must see no token."""
        if request.headers.get("Authorization"):
            self.strayed.append(f"a token was sent to {request.path}")
        with self._api.lock:
            content = exports.download(self._api.state, request.path.removeprefix("/"))
        if content is None:
            return Reply("no such file\n", HTTPStatus.NOT_FOUND, {"Content-Type": "text/plain"})
        return Reply(content, HTTPStatus.OK, {"Content-Type": "text/csv; charset=utf-8"})

    def stray(self, host: str, line: str) -> None:
        """Note a request that was sent to another host's name: somebody followed a redirect away."""
        self.strayed.append(f"{host} {line}")

    def now(self) -> float:
        """Return the time by the sandbox's clock."""
        return self._api.state.clock()

    def _spoil(self, fault: Rule, request: Incoming, now: float) -> Reply:
        if fault.action == "switch":
            self._api.quirks.switch(fault.quirk)
        if fault.action == "late_commit":
            self._late.append((now + fault.length(), request))
        action = ACTIONS[fault.action]
        target = f"{self.url}{request.path}" + (f"?{request.query}" if request.query else "")
        reply = action.perform(fault, lambda: self._api.answer(request), target, now)
        if action.limits:
            reset, wait = reply.headers.get("x-ratelimit-reset"), reply.headers.get("retry-after")
            self._api.limits.block(float(reset) if reset else now + float(wait or _BARE_WAIT))
        return reply

    def _land_late(self, now: float) -> None:
        due = [request for at, request in self._late if at <= now]
        self._late = [(at, request) for at, request in self._late if at > now]
        for request in due:
            self._api.answer(request)

    def _stored(self, fields: dict[str, Any]) -> dict[str, Any]:
        if fields.get("budget_scope", "cost_center") in {"cost_center", "multi_user_cost_center"}:
            center = self._api.state.find_cost_center(str(fields.get("budget_entity_name")))
            if center is not None:
                return {**copy.deepcopy(fields), "budget_entity_name": center.id}
        return copy.deepcopy(fields)
