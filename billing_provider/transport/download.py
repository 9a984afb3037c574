"""Download a file from a link of GitHub, on any host, without the token."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urljoin

import requests

from billing_provider.core.address import is_loopback, origin_of
from billing_provider.core.errors import TransportError
from billing_provider.core.redact import redact
from billing_provider.transport.session import FAILURES, TIMEOUTS, Session, limits, read

if TYPE_CHECKING:
    from billing_provider.core.settings import Settings
    from billing_provider.transport.session import TimeLimits

MAX_BYTES = 256 * 1024 * 1024
"""The maximum size of a file."""
_MAX_REDIRECTS = 5


def download(url: str, settings: Settings, action: str) -> str:
    """Return the text of a link, with tokens masked; it must be https, or on this machine if the API is.

    Args:
        url: The link; it is a temporary secret, so no message contains it.
        settings: The time limits; its token is not sent.
        action: The operation, the start of an error message.

    Raises:
        ConfigError: The environment names a file of CA certificates that does not exist.
        TransportError: An invalid link, no response, a response without a file, a file that is too large or too slow.
    """
    bounds = limits(settings.max_wait_seconds, settings.request_timeout_seconds)
    target = _target("", url, settings, action)
    with Session() as session:
        for _ in range(_MAX_REDIRECTS + 1):
            try:
                found = _get(session, target, bounds, action)
            except TIMEOUTS:
                raise TransportError(
                    f"{action}: the download took longer than github-billing:maxWaitSeconds "
                    f"({settings.max_wait_seconds:g} s), or received no data for github-billing:requestTimeoutSeconds "
                    f"({settings.request_timeout_seconds:g} s). Run again, or increase the setting."
                ) from None
            except FAILURES as error:
                raise TransportError(
                    f"{action}: the download is incomplete ({type(error).__name__}). Run again."
                ) from None
            if isinstance(found, bytes):
                return redact(found.decode("utf-8-sig", errors="replace"), *settings.credentials.tokens)
            target = _target(target, found, settings, action)
    raise TransportError(f"{action}: more than {_MAX_REDIRECTS} redirects.")


def _target(base: str, link: str, settings: Settings, action: str) -> str:
    """Return the absolute URL of a link."""
    try:
        url = urljoin(base, link)
        scheme = origin_of(url).scheme
    except ValueError:
        raise TransportError(f"{action}: the link is not a valid URL. Request the report again.") from None
    if scheme == "https" or (scheme == "http" and settings.is_loopback and is_loopback(url)):
        return url
    raise TransportError(f"{action}: the link is not an https URL. It was not opened.")


def _get(session: Session, url: str, bounds: TimeLimits, action: str) -> bytes | str:
    """Return the content, or the target of a redirect."""
    with session.exchange("GET", url, bounds, {}) as response:
        if response.is_redirect:
            return response.headers["location"]
        if response.status_code != requests.codes.ok:
            raise TransportError(f"{action}: the link returned {response.status_code}. Request the report again.")
        content = read(response, MAX_BYTES)
    if content is None:
        raise TransportError(f"{action}: the file is larger than {MAX_BYTES >> 20} MiB.")
    return content
