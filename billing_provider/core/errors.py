"""The errors of this package: one small tree.

BillingError
├── ConfigError         we cannot start: no token, a host that may not be called, a setting out of range
├── TransportError      no answer that can be read: refused, reset, timed out, not JSON
│   └── NotSentError        the request never reached GitHub, so it changed nothing
├── WaitError           GitHub's limits ask for a longer wait than the settings allow
├── OutcomeError        a create whose outcome needs a person: unknown, ambiguous, already taken
└── ApiError            an answer, and it is no: status, message, request id
    ├── NotFoundError       404: gone, hidden from this token, or a feature that is off
    ├── ForbiddenError      401, 403
    ├── InvalidError        400, 422
    └── RateLimitError      403 or 429 that names a limit
"""

from __future__ import annotations

from billing_provider.core.redact import clean

_MAX_SAID, _MAX_REQUEST_ID = 2000, 80


class BillingError(Exception):
    """Base of every error that leaves this package; its text says what was tried, what came back and what to do.

    Args:
        text: The text; it is made fit to be shown, without tokens and on one line.
    """

    def __init__(self, text: str) -> None:
        super().__init__(clean(text))


class ConfigError(BillingError):
    """The configuration does not allow a start; nothing was sent."""


class TransportError(BillingError):
    """GitHub gave no answer that can be read; a write may or may not have been applied."""


class NotSentError(TransportError):
    """The connection failed before the request was sent, so nothing was applied."""


class WaitError(BillingError):
    """A limit asks for a wait above `github-billing:maxWaitSeconds`; nothing was sent."""


class OutcomeError(BillingError):
    """A create cannot be finished without a decision; the text names the budgets and the choices."""


class ApiError(BillingError):
    """GitHub answered, and the answer is no.

    Attributes:
        status: HTTP status of the answer.
        said: GitHub's own message, fit to be shown.
        request_id: Value of `X-GitHub-Request-Id`, fit to be shown, or an empty string.
        advice: What to do, where the status alone tells; else an empty string.
    """

    def __init__(self, tried: str, status: int, said: str, request_id: str = "", advice: str = "") -> None:
        self.status = status
        self.said = clean(said, _MAX_SAID)
        self.request_id = clean(request_id, _MAX_REQUEST_ID)
        self.advice = advice
        reference = f" [request {self.request_id}]" if self.request_id else ""
        words = self.said.rstrip(".") or "no message"
        super().__init__(f"{tried}: GitHub said {status}: {words}{reference}." + (f" {advice}" if advice else ""))


class NotFoundError(ApiError):
    """Status 404: the thing is gone, hidden from this token, or its feature is off."""


class ForbiddenError(ApiError):
    """Status 401 or 403: the token is refused, or it may not do this."""


class InvalidError(ApiError):
    """Status 400 or 422: GitHub refuses the request's content."""


class RateLimitError(ApiError):
    """Status 403 or 429 with a limit's marks; it was waited for as often as the rules allow."""
