"""The HTTP session: no netrc, cookies or redirects, no proxy for loopback, one deadline per request."""

from __future__ import annotations

import functools
import http.client
import io
import os
import time
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import requests
import requests.adapters
import urllib3.connection
import urllib3.exceptions

from billing_provider.core.address import is_loopback
from billing_provider.core.errors import ConfigError
from billing_provider.storage import files
from billing_provider.transport.pacing import MOST_READS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FAILURES = (OSError, urllib3.exceptions.HTTPError)
"""The errors of an exchange: those of requests are OSErrors; some invalid headers raise errors of urllib3."""
TIMEOUTS = (TimeoutError, requests.Timeout, urllib3.exceptions.ReadTimeoutError)
"""The timeouts among these errors."""
_CHUNK_BYTES = 256 * 1024
_CONNECT_SECONDS = 5.0
_BUNDLES = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")


@dataclass(frozen=True)
class Reply:
    """A completely read response; its texts contain no token."""

    status: int
    headers: Mapping[str, str]
    data: Any


class TimeLimits(NamedTuple):
    """The time limits of an exchange.

    Attributes:
        deadline: The latest end, on `time.monotonic`.
        idle: The maximum seconds without data.
    """

    deadline: float
    idle: float

    def left(self) -> float:
        """Return the timeout of the next read in seconds.

        Raises:
            TimeoutError: The deadline has passed.
        """
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the time of the request is over")
        return min(left, self.idle)


def limits(seconds: float, idle: float) -> TimeLimits:
    """Return the limits of an exchange that starts now."""
    return TimeLimits(time.monotonic() + seconds, idle)


_LIMITS: ContextVar[TimeLimits] = ContextVar("limits")
"""The limits of the current exchange."""


class _DeadlineReader(io.RawIOBase):
    """The raw data of a connection; the timeout of each read is the remaining time."""

    def __init__(self, sock: Any, raw: Any) -> None:
        self._sock, self._raw = sock, raw

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(_LIMITS.get().left())
        count: int | None = self._raw.readinto(buffer)
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Response(http.client.HTTPResponse):
    """A response that is read completely under the deadline: status line, headers, chunk sizes, body.

    A socket timeout limits single reads only, so a server that sends a byte at a time could block a request forever.
    """

    def __init__(self, sock: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_DeadlineReader(sock, self.fp.detach()))


@functools.cache
def _bounded(connection: type) -> Any:
    return type(connection.__name__, (connection,), {"response_class": _Response})


class _DeadlineAdapter(requests.adapters.HTTPAdapter):
    """Connections, direct or through a proxy, whose responses are read under the deadline."""

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        pool.ConnectionCls = _bounded(type(pool).ConnectionCls)
        return pool


class Session(requests.Session):
    """The session of all requests of this package; safe to share between threads."""

    def __init__(self) -> None:
        super().__init__()
        # The debug output of the standard library would print the Authorization header.
        urllib3.connection.HTTPConnection.debuglevel = 0
        # Off: a netrc file would replace our Authorization header. `exchange` reads proxies and CA bundles.
        self.trust_env = False
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        for scheme in ("http://", "https://"):
            self.mount(scheme, _DeadlineAdapter(max_retries=0, pool_maxsize=MOST_READS))

    def get_redirect_target(self, resp: requests.Response) -> None:  # noqa: ARG002 - the library's signature
        """Ignore redirects: even without following one, requests would read its whole body."""
        return

    @contextmanager
    def exchange(
        self, method: str, url: str, bounds: TimeLimits, headers: Mapping[str, str], data: bytes | None = None
    ) -> Iterator[requests.Response]:
        """Send one request and yield its response; `read` reads the body.

        Raises:
            ConfigError: The file of CA certificates in the environment does not exist; nothing was sent.
            OSError, urllib3.exceptions.HTTPError: There is no complete response; see `FAILURES`.
        """
        verify = _ca_bundle() if url.startswith("https:") else True
        before = _LIMITS.set(bounds)
        try:
            left = bounds.left()
            with self.request(
                method,
                url,
                data=data,
                # A compressed body could exceed the size limit when it is decompressed.
                headers={**headers, "Accept-Encoding": "identity"},
                timeout=(min(_CONNECT_SECONDS, left), left),
                allow_redirects=False,
                stream=True,
                proxies={} if is_loopback(url) else requests.utils.get_environ_proxies(url, no_proxy=None),
                verify=verify,
            ) as response:
                yield response
        finally:
            _LIMITS.reset(before)


def read(response: requests.Response, most: int) -> bytes | None:
    """Return the body of a response, or None if it is too large.

    Raises:
        OSError, urllib3.exceptions.HTTPError: The response is not complete; see `FAILURES`.
    """
    content = bytearray()
    # read1 returns the available data, so a body above the limit is not read to its end.
    while chunk := response.raw.read1(_CHUNK_BYTES):
        content += chunk
        if len(content) > most:
            return None
    return bytes(content)


def _ca_bundle() -> str | bool:
    """Return the CA certificates of the environment, or True for the default ones."""
    for name in _BUNDLES:
        if path := os.environ.get(name):
            try:
                # A folder of certificates is allowed.
                if not Path(path).is_dir():
                    files.read_given(path)
            except files.FileError as error:
                raise ConfigError(
                    f"{name} names CA certificates that cannot be read: {path} ({error}). Nothing was sent: correct "
                    "the variable, or unset it to use the usual certificates."
                ) from None
            return path
    return True
