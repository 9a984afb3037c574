"""How HTTP is spoken: no netrc, no cookies, no redirects, no proxy for this machine, and one deadline a request."""

from __future__ import annotations

import functools
import http.client
import io
import os
import time
from contextlib import contextmanager
from contextvars import ContextVar
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import requests
import requests.adapters
import urllib3.connection
import urllib3.exceptions

from billing_provider.core.address import is_loopback
from billing_provider.core.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FAILURES = (OSError, urllib3.exceptions.HTTPError)
"""What an exchange raises: requests' own errors are OSErrors, some odd headers raise urllib3's."""
TIMEOUTS = (TimeoutError, requests.Timeout, urllib3.exceptions.ReadTimeoutError)
"""Those of them that say that the time was over."""
_CHUNK_BYTES = 256 * 1024
_CONNECT_SECONDS = 5.0
_BUNDLES = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")


class Limits(NamedTuple):
    """How long an exchange may take.

    Attributes:
        deadline: The end of it, on `time.monotonic`.
        silence: Seconds without a byte after which it is given up.
    """

    deadline: float
    silence: float

    def left(self) -> float:
        """Return the seconds that the next read may take.

        Raises:
            TimeoutError: The deadline has passed.
        """
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError("the time of the request is over")
        return min(left, self.silence)


def limits(seconds: float, silence: float) -> Limits:
    """Return the limits of exchanges that begin now."""
    return Limits(time.monotonic() + seconds, silence)


_LIMITS: ContextVar[Limits] = ContextVar("limits")
"""The limits of the exchange that the running thread is in."""


class _Arriving(io.RawIOBase):
    """The bytes that arrive on a connection; each read has the time that is left until the deadline."""

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
    """An answer of which everything is read under the deadline: status line, headers, sizes of chunks, body.

    A socket's own timeout bounds each read alone: with a byte now and then a request would not end.
    """

    def __init__(self, sock: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(sock, *args, **kwargs)
        self.fp = io.BufferedReader(_Arriving(sock, self.fp.detach()))


@functools.cache
def _bounded(connection: type) -> Any:
    return type(connection.__name__, (connection,), {"response_class": _Response})


class _Adapter(requests.adapters.HTTPAdapter):
    """Connections, direct ones and through any kind of proxy, whose answers are read under the deadline."""

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        pool.ConnectionCls = _bounded(type(pool).ConnectionCls)
        return pool


class Session(requests.Session):
    """What every request of this package is sent with; safe to share between threads."""

    def __init__(self) -> None:
        super().__init__()
        # The standard library's debug output, wherever it is switched on, would print the Authorization header.
        urllib3.connection.HTTPConnection.debuglevel = 0
        # Off: a netrc file would replace our Authorization header. `exchange` reads proxies and CA bundles.
        self.trust_env = False
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        for scheme in ("http://", "https://"):
            self.mount(scheme, _Adapter(max_retries=0, pool_maxsize=8))

    def get_redirect_target(self, resp: requests.Response) -> None:  # noqa: ARG002 - the library's signature
        """Leave redirects alone: told not to follow one, requests would still read its body whole."""
        return

    @contextmanager
    def exchange(
        self, method: str, url: str, bounds: Limits, headers: Mapping[str, str], data: bytes | None = None
    ) -> Iterator[requests.Response]:
        """Send one request and provide its answer, the body still to be read by `read`.

        Raises:
            ConfigError: The file of CA certificates that the environment names is absent; nothing was sent.
            OSError, urllib3.exceptions.HTTPError: There is no whole answer; see `FAILURES`.
        """
        verify = _ca_bundle() if url.startswith("https:") else True
        before = _LIMITS.set(bounds)
        try:
            left = bounds.left()
            with self.request(
                method,
                url,
                data=data,
                # A compressed body could grow past the cap while it is unpacked.
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
    """Return the body of an answer, or None where it is larger than allowed.

    Raises:
        OSError, urllib3.exceptions.HTTPError: The answer is not whole; see `FAILURES`.
    """
    content = bytearray()
    # The one read that returns what has arrived, so that a body above the cap is not read to its end.
    while chunk := response.raw.read1(_CHUNK_BYTES):
        content += chunk
        if len(content) > most:
            return None
    return bytes(content)


def _ca_bundle() -> str | bool:
    """Return the file or folder of CA certificates that the environment names, or True for the usual ones."""
    for name in _BUNDLES:
        if path := os.environ.get(name):
            if not Path(path).exists():
                raise ConfigError(
                    f"{name} names CA certificates that do not exist: {path}. Nothing was sent: correct the variable, "
                    "or unset it to use the usual certificates."
                )
            return path
    return True
