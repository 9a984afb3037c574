"""A server between the provider and the sandbox that spoils answers at random, and the values that it puts in."""

from __future__ import annotations

import http.client
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from typing_extensions import Self

if TYPE_CHECKING:
    import random
    from types import TracebackType

    from billing_provider.sandbox import Sandbox

TEXTS = (
    "",
    " ",
    ".",
    "..",
    "../../..",
    "a/b",
    "a\\b",
    "octo-enterprise",
    "octo-org",
    "OCTOCAT",
    "a" * 300,
    "line\nbreak",
    "\x1b[31mred\x1b[0m",
    "right\u202eleft",
    "zero\u200bwidth",
    "\ud800",
    "%2e%2e%2f",
    "NaN",
    "1e400",
    "00000000-0000-0000-0000-000000000000",
    "ghp_" + "0123456789abcdef" * 2,
    "2026-99-99",
    "http://evil.example/",
    "https://",
    "http://[::1",
    "file:///etc/passwd",
)
NUMBERS = (0, -1, 1, 2**31, 2**63, 10**40, -(10**40), 0.5, -0.0, 1e308, 99999999999)
OTHERS: tuple[Any, ...] = (None, True, False, [], {}, [[]], {"": {}}, [None] * 3)
ELSEWHERE = "/elsewhere"
"""The path of a redirect that stays with this server."""
STATUSES = (200, 200, 200, 200, 201, 202, 204, 206, 301, 304, 307, 400, 401, 403, 404, 409, 410, 422, 429, 500, 503)


def value(rng: random.Random, token: str = "") -> Any:
    """Return a value that no well-behaved server or program sends."""
    kind = rng.random()
    if token and kind < 0.2:
        return rng.choice([token, f"Bearer {token}", f"x{token}\ny"])
    if kind < 0.6:
        return rng.choice(TEXTS)
    if kind < 0.75:
        return rng.choice(NUMBERS)
    if kind < 0.8:
        deep: Any = "deep"
        for _ in range(rng.choice([5, 50, 400])):
            deep = [deep]
        return deep
    return rng.choice(OTHERS)


def spoil(rng: random.Random, data: Any, token: str = "") -> Any:
    """Return JSON data with a few random places replaced, removed or repeated."""
    if rng.random() < 0.05:
        return value(rng, token)
    if isinstance(data, dict):
        spoiled = {key: spoil(rng, each, token) if rng.random() < 0.5 else each for key, each in data.items()}
        if spoiled and rng.random() < 0.25:
            key = rng.choice(list(spoiled))
            spoiled[key] = value(rng, token)
        if spoiled and rng.random() < 0.1:
            del spoiled[rng.choice(list(spoiled))]
        if rng.random() < 0.05:
            spoiled[token or "new"] = value(rng, token)
        return spoiled
    if isinstance(data, list):
        spoiled_list = [spoil(rng, each, token) for each in data]
        if spoiled_list and rng.random() < 0.2:
            spoiled_list += rng.choices(spoiled_list, k=rng.choice([1, 5]))
        if rng.random() < 0.1:
            spoiled_list.append(value(rng, token))
        return spoiled_list
    return value(rng, token) if rng.random() < 0.1 else data


def _spoiled(rng: random.Random, status: int, content: bytes, token: str) -> tuple[int, list[tuple[str, str]], bytes]:
    """Return another status, headers and body than the honest ones."""
    if rng.random() < 0.3:
        status = rng.choice(STATUSES)
    kind = rng.random()
    if kind < 0.75:
        content = json.dumps(spoil(rng, json.loads(content or b"null"), token)).encode()
    elif kind < 0.85:
        content = rng.choice([b"", b"null", b"[]", b"{", b"\xff\xfe", f'"{token}"'.encode()])
    types = [*["application/json"] * 6, "text/html", "application/json; charset=nope"]
    headers = [("Content-Type", rng.choice(types))]
    for name in ("X-OAuth-Scopes", "X-GitHub-Request-Id", "Set-Cookie", "Link", "Retry-After", "Date"):
        if rng.random() < 0.15:
            text = str(value(rng, token)).encode("ascii", "backslashreplace").decode()
            headers.append((name, "".join(sign for sign in text if sign.isprintable())))
    if status in (301, 307):
        places = [ELSEWHERE, f"http://evil.example/{token}", "//evil.example", "http://[::1"]
        headers.append(("Location", rng.choice(places)))
    if status in (204, 304):
        return status, headers, b""
    return status, [*headers, ("Content-Length", str(len(content)))], content


class HostileServer:
    """Passes requests on to a sandbox and spoils the answers.

    Args:
        sandbox: Who answers.
        rng: Decides how each answer is spoiled.
        token: The token that the client sends; answers echo it.

    Attributes:
        url: Its address.
        paths: Method and path of every request, as it came.
        cookies: Every `Cookie` header that came.
    """

    def __init__(self, sandbox: Sandbox, rng: random.Random, token: str) -> None:
        self.paths: list[str] = []
        self.cookies: list[str] = []
        lock = threading.Lock()
        target = urlsplit(sandbox.url)
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's signature
                """Say nothing."""

            def _pass_on(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                with lock:
                    server.paths.append(f"{self.command} {urlsplit(self.path).path}")
                    server.cookies += self.headers.get_all("Cookie") or []
                    origin = http.client.HTTPConnection(target.hostname or "", target.port, timeout=30)
                    headers = {
                        "Authorization": f"Bearer {sandbox.token}",
                        "Content-Type": "application/json",
                        "User-Agent": "fuzz",
                    }
                    origin.request(self.command, f"{target.path}{self.path}", body or None, headers)
                    answer = origin.getresponse()
                    content = answer.read()
                    origin.close()
                    self._answer(answer.status, content)

            do_GET = do_POST = do_PATCH = do_DELETE = _pass_on  # noqa: N815 - the library's names

            def _answer(self, status: int, content: bytes) -> None:
                status, headers, content = _spoiled(rng, status, content, token)
                self.send_response(status)
                for name, text in headers:
                    self.send_header(name, text)
                self.end_headers()
                self.wfile.write(content)

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: Any, client_address: Any) -> None:
                """Say nothing of a client that left."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
