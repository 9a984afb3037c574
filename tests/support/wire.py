"""A server that replies with given bytes and records its requests."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from typing import TYPE_CHECKING, Any, NamedTuple, final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from types import TracebackType


def answer(status: int, body: Any = None, *, content_type: str = "application/json", **headers: str) -> bytes:
    """Return a complete reply; strings and bytes are sent unchanged, other values as JSON."""
    content = body.encode() if isinstance(body, str) else body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"HTTP/1.1 {status} Said", f"Content-Type: {content_type}", f"Content-Length: {len(content)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + content


class Endless(NamedTuple):
    """The start of a reply, and a piece that is repeated until the client disconnects."""

    start: bytes
    again: bytes


@final
class WireServer:
    """A loopback server that sends the replies in order and repeats the last one; empty bytes reset the connection.

    Args:
        replies: The replies.
        wrap: Puts TLS around each connection.

    Attributes:
        heard: Every request, as the text of its head and its body.
        port: The port.
    """

    def __init__(
        self, *replies: bytes | Endless, wrap: Callable[[socket.socket], socket.socket] = lambda plain: plain
    ) -> None:
        self._wrap = wrap
        self.replies: Sequence[bytes | Endless] = replies
        self.heard: list[str] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)

    @property
    def url(self) -> str:
        """The address, with a path as GitHub's own servers have one."""
        return f"http://127.0.0.1:{self.port}/api/v3"

    def __enter__(self) -> WireServer:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Only this wakes a thread that waits in accept().
        self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection, contextlib.suppress(OSError), self._wrap(connection) as ready:
                self._answer(ready)

    def _answer(self, connection: socket.socket) -> None:
        with connection.makefile("rb") as reader:
            head = b""
            while not head.endswith(b"\r\n\r\n"):
                line = reader.readline()
                if not line:
                    return
                head += line
            lengths = [line for line in head.lower().splitlines() if line.startswith(b"content-length:")]
            body = reader.read(int(lengths[0].partition(b":")[2])) if lengths else b""
            self.heard.append((head + body).decode("latin-1"))
            reply = self.replies[min(len(self.heard), len(self.replies)) - 1]
        if isinstance(reply, Endless):
            connection.sendall(reply.start)
            while True:
                connection.sendall(reply.again)
                time.sleep(0.01)
        if not reply:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            return
        connection.sendall(reply.replace(b"\r\n", b"\r\nConnection: close\r\n", 1))
        connection.shutdown(socket.SHUT_WR)
