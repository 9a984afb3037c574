"""The sandbox on a loopback port: sockets, threads and the log of requests around the API."""

from __future__ import annotations

import contextlib
import copy
import json
import socket
import socketserver
import sys
import threading
import time
from dataclasses import dataclass
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from billing_provider.sandbox import sample
from billing_provider.sandbox.access import OWNER_TOKEN
from billing_provider.sandbox.api import PREFIX, Api, Incoming
from billing_provider.sandbox.budget_view import plain
from billing_provider.sandbox.call import Reply
from billing_provider.sandbox.errors import RefusedError, not_found
from billing_provider.sandbox.quirks import Quirks
from billing_provider.sandbox.state import Budget, State, same_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import TracebackType

__all__ = ["Request", "Sandbox"]


@dataclass(frozen=True)
class Request:
    """One request of the log: the path without the prefix, the JSON body (None without one), and when it came."""

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
    ) -> None:
        state = State(clock, None if state_file is None else Path(state_file))
        self._api = Api(state, Quirks(quirks), page_cap)
        self._log: list[Request] = []
        self._on_request = on_request
        self._port = port
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> Sandbox:
        """Open the port and serve it from a thread of its own; a second call does nothing."""
        if self._server is not None:
            return self
        self._server = _Server(("127.0.0.1", self._port), self)
        self._port = self._server.server_address[1]
        self._api.url = self.url
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()
        return self

    def stop(self) -> None:
        """Close the port and every connection; a second call does nothing."""
        if self._server is None or self._thread is None:
            return
        self._server.shutdown()
        self._server.close_connections()
        self._server.server_close()
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
        """Go back to the sample data and an empty log; quirks stay."""
        with self._api.lock:
            self._api.state.reset()
            self._log.clear()

    def serve(self, request: Incoming) -> Reply:
        """Answer one request and write it to the log; the server's threads call this."""
        reply = self._api.answer(request)
        entry = Request(
            request.method,
            request.path,
            request.parsed_query(),
            request.parsed_body(),
            int(reply.status),
            self._api.state.clock(),
        )
        self._log.append(entry)
        if self._on_request is not None:
            self._on_request(entry)
        return reply

    def now(self) -> float:
        """Return the time by the sandbox's clock."""
        return self._api.state.clock()

    def _stored(self, fields: dict[str, Any]) -> dict[str, Any]:
        if fields.get("budget_scope", "cost_center") in {"cost_center", "multi_user_cost_center"}:
            center = self._api.state.find_cost_center(str(fields.get("budget_entity_name")))
            if center is not None:
                return {**copy.deepcopy(fields), "budget_entity_name": center.id}
        return copy.deepcopy(fields)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self._connections: set[socket.socket] = set()
        super().__init__(address, _Handler)

    def server_bind(self) -> None:
        # HTTPServer asks the resolver for this machine's name here, which may take seconds and helps nobody.
        socketserver.TCPServer.server_bind(self)

    def process_request(self, request: Any, client_address: Any) -> None:
        request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._connections.discard(request)
        super().shutdown_request(request)

    def close_connections(self) -> None:
        for connection in list(self._connections):
            # The client may have closed its end between the two lines.
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "billing-sandbox"
    sys_version = ""
    wbufsize = -1
    server: _Server

    def do_GET(self) -> None:
        """Answer any method: the table of routes knows them."""
        length = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(length)
        path, _, query = self.path.partition("?")
        request = Incoming(self.command, path.removeprefix(PREFIX), query, self.headers, body)
        if path.startswith(f"{PREFIX}/"):
            reply = self.server.sandbox.serve(request)
        else:
            refused: RefusedError = not_found()
            reply = Reply(refused.body(), refused.status, {"X-Sandbox-Problem": f"all paths start with {PREFIX}"})
        self._write(reply)

    do_POST = do_GET  # noqa: N815  # the standard library looks for these names
    do_PATCH = do_GET  # noqa: N815
    do_DELETE = do_GET  # noqa: N815
    do_PUT = do_GET  # noqa: N815

    def _write(self, reply: Reply) -> None:
        content = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
        self.send_response(int(reply.status))
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "X-GitHub-Request-Id": f"SAND:{time.monotonic_ns():X}",
            "X-Sandbox": "billing",
            **reply.headers,
            "Content-Length": str(len(content)),
        }
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)
        self.wfile.flush()

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Return the Date header by the sandbox's clock."""
        return formatdate(self.server.sandbox.now() if timestamp is None else timestamp, usegmt=True)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the name is the standard library's
        """Write nothing: the log of requests is kept by the sandbox, without headers."""
