"""Fetch what a link of GitHub's leads to, on whatever host, without the token."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from urllib.parse import urljoin, urlsplit

import requests
import urllib3.exceptions

from billing_provider.errors import TransportError

if TYPE_CHECKING:
    from billing_provider.clock import Clock
    from billing_provider.settings import Settings

MAX_BYTES = 256 * 1024 * 1024
"""Largest file that is fetched."""
_MAX_REDIRECTS = 5
_CHUNK_BYTES = 256 * 1024


def download(url: str, settings: Settings, clock: Clock, tried: str) -> str:
    """Return the text behind a link; it is https, or on this machine as the API's address is then.

    Args:
        url: The link; it is a secret for a while, and no message shows it.
        settings: The limits on time; its token goes nowhere.
        clock: The time.
        tried: What this does, as an error message begins.

    Raises:
        TransportError: No answer, an answer that is no file, a file that is too large or takes too long.
    """
    give_up = clock.now() + settings.max_wait_seconds
    with requests.Session() as session:
        # Off: a netrc file would add credentials of its own.
        session.trust_env = False
        for _ in range(_MAX_REDIRECTS + 1):
            if urlsplit(url).scheme != "https" and not settings.is_loopback:
                raise TransportError(f"{tried}: the link is not https.")
            try:
                found = _get(session, url, settings, clock, give_up=give_up, tried=tried)
            except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
                raise TransportError(f"{tried}: no whole answer ({type(error).__name__}). Run again.") from None
            if isinstance(found, bytes):
                return found.decode("utf-8-sig", errors="replace")
            url = urljoin(url, found)
    raise TransportError(f"{tried}: more than {_MAX_REDIRECTS} redirects.")


def _get(
    session: requests.Session, url: str, settings: Settings, clock: Clock, *, give_up: float, tried: str
) -> bytes | str:
    """Return the content, or the link to which it redirects."""
    content = bytearray()
    with session.get(
        url,
        headers={"Accept-Encoding": "identity"},
        timeout=settings.request_timeout_seconds,
        allow_redirects=False,
        stream=True,
        proxies=requests.utils.get_environ_proxies(url, no_proxy=None),
        verify=os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("SSL_CERT_FILE") or True,
    ) as response:
        if response.is_redirect:
            return response.headers["location"]
        if response.status_code != requests.codes.ok:
            raise TransportError(f"{tried}: the link answers {response.status_code}. Ask for the report anew.")
        while chunk := response.raw.read1(_CHUNK_BYTES):
            content += chunk
            if len(content) > MAX_BYTES:
                raise TransportError(f"{tried}: the file is larger than {MAX_BYTES >> 20} MiB.")
            if clock.now() > give_up:
                raise TransportError(f"{tried}: the file took longer than github-billing:maxWaitSeconds.")
    return bytes(content)
