"""Sockets and threads of the sandbox: regular replies and those that a planned fault changes."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import re
import select
import socket
import socketserver
import struct
import sys
import threading
import time
from email.utils import formatdate
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

from billing_provider.sandbox.http.incoming import PREFIX, Incoming
from billing_provider.sandbox.operations.exports import DOWNLOADS
from billing_provider.sandbox.operations.replies import Reply, not_found

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from billing_provider.sandbox.http.pipeline import RequestPipeline

CONTROL_PREFIX = "/_sandbox/"
_REQUEST_NUMBERS = itertools.count(1)
_MOST_BODY = 16 * 1024 * 1024
_MOST_DIGITS = 9
# The timeout and number of reads before a connection is closed; see `shutdown_request`.
_LINGER_SECONDS = 1.0
_LINGER_READS = 1024


# A page whose name was pointed at this machine (DNS rebinding) sends its own name.
_HOST = re.compile(r"(127(\.\d{1,3}){3}|localhost|\[::1\])(:\d{1,5})?", re.ASCII | re.IGNORECASE)
_METHODS = "GET, POST, PATCH, DELETE, PUT"
_CLIENT_ERRORS: dict[int, int] = {
    HTTPStatus.NOT_IMPLEMENTED: HTTPStatus.METHOD_NOT_ALLOWED,
    HTTPStatus.HTTP_VERSION_NOT_SUPPORTED: HTTPStatus.BAD_REQUEST,
}


class Server(ThreadingHTTPServer):
    """A server on one loopback port, with a thread for each connection; `control` answers the control plane."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self, port: int, service: RequestPipeline, control: Callable[[Incoming], Reply]) -> None:
        self.service = service
        self.control = control
        self.closing = threading.Event()
        self._connections: set[socket.socket] = set()
        super().__init__(("127.0.0.1", port), _Handler)

    def close(self) -> None:
        """Close the port and every connection, including active ones."""
        self.closing.set()
        self.shutdown()
        for connection in list(self._connections):
            # The client or a fault may have closed it in the meantime.
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self.server_close()

    def server_bind(self) -> None:
        """Bind the port without the host name lookup of HTTPServer."""
        socketserver.TCPServer.server_bind(self)

    def process_request(self, request: Any, client_address: Any) -> None:
        """Record the connection and serve it in a thread."""
        request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connections.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        """Close the connection, after reading the rest of the client's data.

        Closing with unread bytes sends an RST, and the client may lose a reply that it has not read yet.
        """
        with contextlib.suppress(OSError):
            request.shutdown(socket.SHUT_WR)
            request.settimeout(_LINGER_SECONDS)
            any(not request.recv(65536) for _ in range(_LINGER_READS))
        self._connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print an error, unless the client has disconnected."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "billing-sandbox"
    sys_version = ""
    wbufsize = -1
    server: Server
    raw_requestline: bytes

    def do_GET(self) -> None:
        """Answer any method; the table of routes decides."""
        path, _, query = self.path.partition("?")
        hosts = self.headers.get_all("Host", [""])
        if hosts[0].partition(":")[0] != "127.0.0.1":
            self.server.service.record_misdirected(f"{hosts[0]} {self.command} {path}")
        if not all(map(_HOST.fullmatch, hosts)):
            text = "The header Host must be 127.0.0.1 or localhost: the sandbox answers this machine only."
            self.send_error(HTTPStatus.MISDIRECTED_REQUEST, text)
            return
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or "Transfer-Encoding" in self.headers:
            self.send_error(HTTPStatus.LENGTH_REQUIRED, "Content-Length is required.")
            return
        if len(length) > _MOST_DIGITS or int(length) > _MOST_BODY:
            text = f"The body must have at most {_MOST_BODY} bytes."
            self.send_error(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, text)
            return
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            self.send_error(HTTPStatus.BAD_REQUEST, "The body is shorter than its Content-Length.")
            return
        service = self.server.service
        handlers = ((f"{PREFIX}/", service.serve), (CONTROL_PREFIX, self.server.control), (DOWNLOADS, service.download))
        for prefix, answer in handlers:
            if path.startswith(prefix):
                below, client = f"/{path.removeprefix(prefix)}", self.client_address[1]
                request = Incoming(self.command, below, query, self.headers, body, client)
                self._deliver(answer(request))
                return
        self._deliver(not_found(problem=f"paths must start with {PREFIX}").reply)

    do_POST = do_GET  # noqa: N815  # the standard library looks for these names
    do_PATCH = do_GET  # noqa: N815
    do_DELETE = do_GET  # noqa: N815
    do_PUT = do_GET  # noqa: N815

    def parse_request(self) -> bool:
        """Read the request line and the headers; refuse an empty request line."""
        if str(self.raw_requestline, "iso-8859-1").split():
            return super().parse_request()
        self.command = ""
        self.requestline = ""
        self.send_error(HTTPStatus.BAD_REQUEST, "The request line is empty.")
        return False

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Refuse an invalid request with JSON and close the connection, because its body may be unread."""
        del explain
        # The base class replies 501 to an unknown method.
        status = _CLIENT_ERRORS.get(code, code)
        headers = {"Connection": "close", **({"Allow": _METHODS} if status == HTTPStatus.METHOD_NOT_ALLOWED else {})}
        body = {"message": message or HTTPStatus(status).phrase, "status": str(int(status))}
        self._deliver(Reply(body, status, headers))

    def handle_expect_100(self) -> bool:
        """Reply 100 Continue to a client that waits for it."""
        proceed = super().handle_expect_100()
        self.wfile.flush()
        return proceed

    def _deliver(self, reply: Reply) -> None:
        if reply.deliver == "reset":
            self._reset()
        elif reply.deliver == "stall":
            self._wait(reply.seconds)
            self.close_connection = True
        else:
            content = self._start(reply)
            if reply.deliver == "cut":
                self.wfile.write(content[: len(content) // 2])
                self.wfile.flush()
                # An RST discards data that the client has not read yet.
                time.sleep(0.02)
                self._reset()
            else:
                for piece in self._pieces(content, reply):
                    self.wfile.write(piece)
                    self.wfile.flush()

    def _start(self, reply: Reply) -> bytes:
        content = reply.body if isinstance(reply.body, str | bytes) else json.dumps(reply.body)
        content = content.encode() if isinstance(content, str) else content
        # The base class leaves out the status line for HTTP/0.9 and for an invalid request line.
        self.request_version = self.protocol_version
        self.send_response(int(reply.status))
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            "X-GitHub-Request-Id": f"SAND:{next(_REQUEST_NUMBERS):X}",
            "X-Sandbox": "billing",
            **reply.headers,
            "Content-Length": str(len(content)),
        }
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        return b"" if self.command == "HEAD" else content

    def _pieces(self, content: bytes, reply: Reply) -> Iterator[bytes]:
        if reply.deliver == "plain":
            yield content
            return
        for byte in content:
            if self._wait(reply.seconds / len(content)):
                self.close_connection = True
                return
            yield bytes([byte])

    def _wait(self, seconds: float) -> bool:
        """Wait; return whether the client disconnected or the sandbox is closing."""
        end = time.monotonic() + seconds
        while not self.server.closing.is_set() and (left := end - time.monotonic()) > 0:
            readable, _, _ = select.select([self.connection], [], [], min(left, 0.05))
            if readable:
                return True
        return self.server.closing.is_set()

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        # A regular shutdown would send a FIN first; closing the socket directly sends the RST at once.
        os.close(self.connection.detach())
        self.close_connection = True

    def date_time_string(self, timestamp: float | None = None) -> str:
        """Return the Date header from the sandbox's clock."""
        return formatdate(self.server.service.now() if timestamp is None else timestamp, usegmt=True)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the name is the standard library's
        """Write nothing: the sandbox has its own log, without headers."""
