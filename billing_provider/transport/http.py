"""HTTP transport: allowed hosts, token, redirects, size and time limits, retries, redaction."""

from __future__ import annotations

import json
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urljoin, urlsplit

import requests
import urllib3.exceptions
from requests.structures import CaseInsensitiveDict

from billing_provider._version import __version__
from billing_provider.core.address import origin_of
from billing_provider.core.credentials import advice_on
from billing_provider.core.errors import (
    ApiError,
    AppError,
    ConfigError,
    NotSentError,
    RateLimitError,
    TransportError,
    WaitError,
)
from billing_provider.core.redact import is_harmless, masked, redact
from billing_provider.storage import json_text
from billing_provider.transport import access, retry
from billing_provider.transport.credentials import Authorizer
from billing_provider.transport.session import FAILURES, TIMEOUTS, Reply, Session, limits, read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from billing_provider.core.clock import Clock
    from billing_provider.core.settings import Settings
    from billing_provider.transport.credentials import Installation
    from billing_provider.transport.pacing import Pacer
    from billing_provider.transport.session import TimeLimits

API_VERSION = "2026-03-10"
MAX_BODY_BYTES = 16 * 1024 * 1024
"""Maximum size of a response body; a page of 100 budgets has about 50 KB."""
MAX_REDIRECTS = 5
_PATIENCE: ContextVar[float | None] = ContextVar("patience", default=None)
_KEEPS_REQUEST = frozenset({301, 302, 307, 308})

_ADVICE = {
    HTTPStatus.UNAUTHORIZED: "GitHub refused the token: renew it.",
    404: "GitHub also returns 404 if the token has no access or billing budgets are turned off for the account.",
    410: "GitHub no longer supports this version of its API: update this package.",
}


@dataclass(frozen=True)
class _Request:
    """One request: what `Transport.request` got, and the token.

    Attributes:
        account: Path of the owner whose credential is sent.
        bearer: The token, never shown.
        keeps_token: Whether the response's `token` is not masked: it is the token of an App's installation.
    """

    method: str
    path: str
    action: str
    query: Mapping[str, Any] | None = None
    body: Any = None
    account: str = ""
    bearer: str = field(default="", repr=False)
    keeps_token: bool = False

    @property
    def is_write(self) -> bool:
        """Whether the request may change something."""
        return self.method != "GET"


class Transport:
    """Sends all requests under one set of rules; thread-safe.

    Args:
        settings: Host, credentials and limits.
        pacer: Rate limiter of all requests.
        clock: The clock.
        before_write: Called directly before each write is sent; raises an exception to prevent it.
    """

    def __init__(self, settings: Settings, pacer: Pacer, clock: Clock, before_write: Callable[[], None]) -> None:
        self._settings, self._pacer, self._clock, self._before_write = settings, pacer, clock, before_write
        self._session = Session()
        self._authorizer = Authorizer(settings, clock)

    @contextmanager
    def patience(self, seconds: float = 15.0) -> Iterator[None]:
        """Limit the total wait of each request of this thread for limits and retries, also below `max_wait_seconds`.

        The default is for reads that only a warning needs.
        """
        before = _PATIENCE.set(seconds)
        try:
            yield
        finally:
            _PATIENCE.reset(before)

    def installation(self, path: str) -> Installation | None:
        """Return the GitHub App's installation for the owner in a path, if a request has found it."""
        return self._authorizer.installation(path)

    def request(
        self,
        method: str,
        path: str,
        *,
        action: str,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        repeatable: bool = True,
        account: str | None = None,
    ) -> Reply:
        """Send one request, wait for limits, retry if safe, and return the successful response.

        Args:
            method: The HTTP method.
            path: Path below the API's address, already URL-encoded.
            action: What is attempted, used as the start of error messages.
            query: Query parameters; None values are omitted.
            body: The request body, sent as JSON.
            repeatable: Whether the request is safe to repeat. After a limit or a failed connection it is retried in any
                case, because nothing was applied.
            account: Path of the owner whose credential is sent, if `path` has no owner.

        Raises:
            ConfigError: A query value is invalid text, the CA certificate file named in the environment is missing, or
                there is no credential for the owner.
            NotSentError: No connection could be made, or GitHub could not be asked for the token of an App.
            TransportError: No readable response; if `repeatable` is False, the outcome is unknown.
            ApiError: An error response; for status 500 and above with `repeatable` False, the outcome is unknown.
            AppError: GitHub gives the App no token for the owner; nothing was sent.
            WaitError: A limit requires a wait above `max_wait_seconds`.
        """
        request = _Request(method, path, action, query, body, account or path)
        longest, patience = self._settings.max_wait_seconds, _PATIENCE.get()
        deadline = self._clock.now() + (longest if patience is None else min(longest, patience))
        repeats = limit_waits = 0
        previous: TransportError | ApiError | None = None
        while True:
            requested: float | None = None
            failure: TransportError | ApiError
            outcome: retry.NoAnswer | int
            try:
                reply, limit = self._attempt(request, deadline, limit_waits)
            except WaitError as error:
                # "Nothing was sent" applies only to this attempt, so the message includes the previous failure.
                before = action if previous is None else f"{previous} Retry"
                raise WaitError(f"{before}: {error}") from None
            except TransportError as error:
                failure = error
                outcome = retry.NoAnswer.NOT_SENT if isinstance(error, NotSentError) else retry.NoAnswer.LOST
            except (AppError, RateLimitError) as error:
                # GitHub refuses or limits the App's request for a token. After a refusal, the error is that of a
                # previous attempt: it may have been applied, and the refusal would say that nothing was sent.
                is_limited = isinstance(error, RateLimitError)
                failure = error if is_limited else previous or error
                outcome = retry.NoAnswer.LIMITED if is_limited else error.status
            else:
                if limit is None and reply.status < 300:  # noqa: PLR2004 - the successful HTTP statuses
                    return reply
                failure = self._error(request, reply, retry.error_of(reply.status, limited=limit is not None))
                outcome = reply.status if limit is None else retry.NoAnswer.LIMITED
                requested = retry.requested_wait(reply.headers, self._clock.wall())
            wait = retry.next_wait(
                outcome,
                repeatable=repeatable,
                repeats=repeats,
                limit_waits=limit_waits,
                requested=requested,
                jitter=self._clock.jitter(),
            )
            if wait is None:
                raise failure
            if outcome is retry.NoAnswer.LIMITED:
                limit_waits += 1
                continue
            previous, repeats = failure, repeats + 1
            try:
                self._pacer.wait(wait, f"a retry: {request.action}", deadline)
            except WaitError:
                raise previous from None

    def _attempt(self, request: _Request, deadline: float, limit_waits: int) -> tuple[Reply, retry.Limit | None]:
        """Send a request once; and again with a new token of the App if GitHub refuses the old one.

        After a refused token nothing was applied, so even a write is sent again.
        """

        def prepare() -> None:
            nonlocal request
            request = replace(request, bearer=self._authorizer.bearer(request.account, self._ask))
            if request.is_write:
                self._before_write()

        for _ in range(2):
            with self._pacer.slot(write=request.is_write, deadline=deadline, prepare=prepare):
                reply = self._send(request)
                limit = self._limit(reply, limit_waits)
                is_refused = reply.status == HTTPStatus.UNAUTHORIZED
                if not is_refused or not self._authorizer.forget(request.account, request.bearer):
                    break
        return reply, limit

    def _limit(self, reply: Reply, waits_so_far: int) -> retry.Limit | None:
        """Apply the limit of a response to all requests, before another thread sends one."""
        limit = retry.limit_of(reply.status, reply.headers, _said(reply), waits_so_far, self._clock.wall())
        if limit is not None:
            self._pacer.block(limit.seconds, limit.reason)
        elif reply.headers.get("x-ratelimit-remaining", "").strip() == "0":
            self._pacer.block(retry.reset_wait(reply.headers, self._clock.wall()) or 0.0, "GitHub's hourly limit")
        return limit

    def _ask(self, method: str, path: str, jwt: str, action: str, body: Any = None) -> Reply:
        """Send a request of a GitHub App itself once; see `Ask`. The caller holds the slot of the actual request."""
        try:
            reply = self._send(_Request(method, path, action, body=body, bearer=jwt, keeps_token=True))
        except TransportError as error:
            raise NotSentError(f"{error} The actual request was not sent.") from None
        limit = self._limit(reply, 0)
        if reply.status < 300:  # noqa: PLR2004 - the successful HTTP statuses
            return reply
        said = _said(reply)
        if limit is None and retry.is_transient(reply.status):
            raise NotSentError(f"{action}: GitHub returned {reply.status}: {said}. The actual request was not sent.")
        kind = RateLimitError if limit is not None else ApiError
        raise kind(action, reply.status, said, reply.headers.get("x-github-request-id", ""))

    def _error(self, request: _Request, reply: Reply, kind: type[ApiError]) -> ApiError:
        advice = _ADVICE.get(reply.status, "")
        installation = self.installation(request.account)
        if reply.status == HTTPStatus.FORBIDDEN:
            holder = str(installation or f"the token from {self._authorizer.source(request.account)}")
            advice = access.lacking(
                *(request.method, request.path, reply.headers, _said(reply), holder), is_app=installation is not None
            )
        elif reply.status == HTTPStatus.UNAUTHORIZED and installation is not None:
            advice = (
                f"GitHub refused a new token of {installation}, for the key in {installation.app.source}: "
                "check whether it is suspended, then run again."
            )
        elif reply.status == HTTPStatus.UNAUTHORIZED:
            source = self._authorizer.source(request.account)
            advice += f" It is from {source}.{advice_on(source, is_sandbox=self._settings.is_loopback)}"
        if "x-github-sso" in reply.headers:
            advice = "The token is not authorized for the organization's single sign-on: authorize it on GitHub."
        request_id = reply.headers.get("x-github-request-id", "")
        return kind(request.action, reply.status, _said(reply), request_id, advice)

    def _send(self, request: _Request) -> Reply:
        """Send once; follow redirects only if origin, method and body stay the same."""
        action = request.action
        pairs = {key: value for key, value in (request.query or {}).items() if value is not None}
        try:
            url = f"{self._settings.base_url}{request.path}" + (f"?{urlencode(pairs)}" if pairs else "")
        except UnicodeError:
            raise ConfigError(
                f"{action}: a filter contains characters that cannot be encoded. Nothing was sent."
            ) from None
        origin = origin_of(url)
        bounds = limits(self._settings.request_timeout_seconds, self._settings.request_timeout_seconds)
        for _ in range(MAX_REDIRECTS + 1):
            reply, location = self._exchange(request, url, bounds)
            if location is None:
                return reply
            try:
                url = urljoin(url, location)
                stays = origin_of(url) == origin
            except ValueError:
                stays = False
            if not stays:
                raise TransportError(f"{action}: GitHub redirected the request to another host; it was not followed.")
            if redact(url, *self._secrets(request)) != url:
                # URLs appear in the logs of dependencies and proxies.
                raise TransportError(
                    f"{action}: GitHub redirected the request to a URL that contains a secret; it was not followed."
                )
            if reply.status not in _KEEPS_REQUEST and request.is_write:
                raise TransportError(
                    f"{action}: GitHub returned redirect {reply.status} for a write; it was not followed."
                )
        raise TransportError(f"{action}: more than {MAX_REDIRECTS} redirects.")

    def _exchange(self, request: _Request, url: str, bounds: TimeLimits) -> tuple[Reply, str | None]:
        headers = {
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {request.bearer}",
            "User-Agent": f"github-billing-provider/{__version__}",
            "X-GitHub-Api-Version": API_VERSION,
        }
        if request.body is not None:
            headers["Content-Type"] = "application/json"
        content = None if request.body is None else json.dumps(request.body).encode()
        try:
            with self._session.exchange(request.method, url, bounds, headers, content) as response:
                received, secrets = dict(response.headers), self._secrets(request)
                if not is_harmless("\n".join(text for field in received.items() for text in field), *secrets):
                    received = masked(received, *secrets)
                reply = Reply(response.status_code, CaseInsensitiveDict(received), self._data(response, request))
                location = response.headers.get("location") if response.is_redirect else None
        except FAILURES as error:
            raise self._lost(error, request.action) from None
        return reply, location

    def _secrets(self, request: _Request) -> tuple[str, ...]:
        """Return what GitHub could send back: the token of the request and those of the settings."""
        return (request.bearer, *self._settings.credentials.tokens)

    def _data(self, response: requests.Response, request: _Request) -> Any:
        """Return the JSON of a response; missing JSON is an error only for a successful response."""
        needed = response.ok and not response.is_redirect
        if response.status_code == requests.codes.no_content and request.method == "DELETE":
            return None
        try:
            content = read(response, MAX_BODY_BYTES)
        except FAILURES:
            if needed:
                raise
            # For an error response, the status and the headers (such as `retry-after`) are sufficient.
            return None
        if content is None and needed:
            raise TransportError(f"{request.action}: the response is larger than {MAX_BODY_BYTES >> 20} MiB.")
        if content is not None and "json" in response.headers.get("content-type", ""):
            with suppress(ValueError):
                text, secrets = content.decode(), self._secrets(request)
                data = json_text.load(text)
                shown = data if is_harmless(text, *secrets) else masked(data, *secrets)
                is_token = request.keeps_token and needed and isinstance(data, dict)
                return {**shown, "token": data.get("token")} if is_token else shown
        if needed:
            raise TransportError(f"{request.action}: GitHub's response {response.status_code} is not JSON.")
        return None

    def _lost(self, error: Exception, action: str) -> TransportError:
        """Return the error of a failed exchange: the request was not sent, or it may have been applied."""
        cause = error.args[0] if error.args else None
        cause = getattr(cause, "reason", cause)
        never_sent = isinstance(
            error, (requests.exceptions.ProxyError, requests.exceptions.ConnectTimeout)
        ) or isinstance(cause, urllib3.exceptions.NewConnectionError)
        name, host = type(error).__name__, urlsplit(self._settings.base_url).netloc
        if never_sent:
            text = f"{action}: no connection to {host} ({name}). Nothing was sent: check the address and the proxy, "
            return NotSentError(f"{text}then run again.")
        if isinstance(error, TIMEOUTS):
            within = f"within github-billing:requestTimeoutSeconds ({self._settings.request_timeout_seconds:g} s)"
            return TransportError(f"{action}: no complete response from {host} {within}: run again.")
        # TLS can also fail after a request was sent; this cannot be distinguished from a rejected certificate.
        checks = "check the certificates" if isinstance(error, requests.exceptions.SSLError) else "run again"
        return TransportError(f"{action}: no complete response from {host} ({name}): {checks}.")


def _said(reply: Reply) -> str:
    """Return GitHub's message with the fields of a validation error."""
    data = reply.data if isinstance(reply.data, dict) else {}
    errors = data.get("errors")
    parts = [str(data.get("message") or "")]
    parts += [
        str(error.get("message") or _field_and_code(error)) if isinstance(error, dict) else str(error)
        for error in (errors if isinstance(errors, list) else [])
    ]
    return "; ".join(part for part in parts if part)


def _field_and_code(error: Mapping[str, Any]) -> str:
    """Return the field and the error code of a validation error without a message."""
    return " ".join(str(error[name]) for name in ("field", "code") if error.get(name)) or str(error)
