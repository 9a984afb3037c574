"""The errors of this package: one small tree.

BillingError
├── ConfigError         configuration: a host that is not allowed, a setting out of range
│   └── NoTokenError        there is no token
├── TransportError      no readable response: refused, reset, timed out, not JSON
│   ├── NotSentError        the request never reached GitHub, so it changed nothing
│   └── UnexpectedError     a readable response with a field that this package does not understand
├── WaitError           GitHub's limits ask for a longer wait than the settings allow
├── OutcomeError        a create that needs a decision by the user: outcome unknown, ambiguous, already taken
└── ApiError            an error response: status, message, request id
    ├── NotFoundError       404: deleted, hidden from this token, or a disabled feature
    ├── ForbiddenError      401, 403
    │   └── AppError            GitHub gives a GitHub App no token for this owner; nothing was sent
    ├── InvalidError        400, 422
    └── RateLimitError      403 or 429 that names a limit
"""

from __future__ import annotations

from billing_provider.core.redact import clean

_MAX_MESSAGE, _MAX_REQUEST_ID = 2000, 80


class BillingError(Exception):
    """Base of every error that leaves this package; its text names the attempt, the response and the next step.

    Args:
        text: The message; tokens and line breaks are removed.
    """

    def __init__(self, text: str) -> None:
        super().__init__(clean(text))


class ConfigError(BillingError):
    """The configuration is invalid; nothing was sent."""


class NoTokenError(ConfigError):
    """There is no token; nothing was sent."""


class TransportError(BillingError):
    """GitHub sent no readable response; a write may or may not have been applied."""


class NotSentError(TransportError):
    """The connection failed before the request was sent, so nothing was applied."""


class UnexpectedError(TransportError):
    """GitHub's response is readable, and a field of it is missing or is not what GitHub's description says."""


class WaitError(BillingError):
    """A limit requires a wait above `github-billing:maxWaitSeconds`; nothing was sent."""


class OutcomeError(BillingError):
    """A create needs a decision by the user; the text names the budgets and the options."""


class ApiError(BillingError):
    """GitHub returned an error response.

    Attributes:
        status: HTTP status of the response.
        message: GitHub's message, cleaned for display.
        request_id: Value of `X-GitHub-Request-Id`, cleaned for display, or an empty string.
        advice: What to do, if the status is sufficient to know; else an empty string.
    """

    def __init__(self, action: str, status: int, message: str, request_id: str = "", advice: str = "") -> None:
        self.status = status
        self.message = clean(message, _MAX_MESSAGE)
        self.request_id = clean(request_id, _MAX_REQUEST_ID)
        self.advice = advice
        reference = f" [request {self.request_id}]" if self.request_id else ""
        words = self.message.rstrip(".") or "no message"
        super().__init__(f"{action}: GitHub returned {status}: {words}{reference}." + (f" {advice}" if advice else ""))


class NotFoundError(ApiError):
    """Status 404: the object is deleted or hidden from this token, or its feature is disabled."""


class ForbiddenError(ApiError):
    """Status 401 or 403: the token is invalid or lacks the permission."""


class AppError(ForbiddenError):
    """GitHub gives a GitHub App no token for an owner; the request itself was not sent.

    Its status is 403 whatever GitHub returned, because a 404 or 409 would speak about the object of the request.
    """

    def __init__(self, text: str, message: str, advice: str) -> None:
        BillingError.__init__(self, f"{text} Nothing was sent. {advice}")
        self.status, self.message, self.request_id, self.advice = 403, clean(message, _MAX_MESSAGE), "", advice


class InvalidError(ApiError):
    """Status 400 or 422: GitHub rejects the request's content."""


class RateLimitError(ApiError):
    """Status 403 or 429 caused by a rate limit, after the maximum number of waits."""
