"""Reads for a preview: short waits, one warning for the run if GitHub cannot be read, and refusals as problems."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from billing_provider.core.errors import (
    ApiError,
    BillingError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    NoTokenError,
    TransportError,
    UnexpectedError,
    WaitError,
)
from billing_provider.core.settings import NAMESPACE

if TYPE_CHECKING:
    from collections.abc import Callable

    from billing_provider.runtime.run import Run

T = TypeVar("T")
_OFF = f"not compared with GitHub: {NAMESPACE}:previewReads is false, so the values before are those of the state"


class NotComparedError(Exception):
    """GitHub cannot be read in this run; the preview continues without it."""


class PreviewReads:
    """The reads of all previews of one run.

    Args:
        run: The state shared by the resources of this engine run.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._is_off = False
        self._details_are_off = False

    def get(self, read: Callable[[], T]) -> T:
        """Return the result of a read that the comparison needs.

        Raises:
            NotComparedError: There is no token, or GitHub is unreachable, limited or failing. The user was warned, and
                no later read of this run is sent.
            BillingError: GitHub refused the read, or the read found a mistake in what is declared.
        """
        if self._is_skipped():
            if not self._run.guards.preview_reads and self._run.is_new(_OFF):
                self._run.reporter.warn(_OFF)
            raise NotComparedError
        try:
            with self._run.transport.patience():
                return read()
        except (ForbiddenError, NotFoundError):
            raise
        except (NoTokenError, TransportError, WaitError, ApiError) as error:
            if isinstance(error, InvalidError) and error.advice:
                # The reason is known, and the write would fail for it too.
                raise
            # One answer that was not understood says nothing of the next one.
            self._is_off = not isinstance(error, UnexpectedError)
            self._run.reporter.warn(f"not compared with GitHub: {error}")
            raise NotComparedError from None

    def find(self, read: Callable[[], T]) -> T | None:
        """Return the result of a read that only adds detail, or None if it is not available.

        After a failure other than a refusal, no later read of this kind is sent in this run.
        """
        if self._is_skipped() or self._details_are_off:
            return None
        try:
            with self._run.transport.patience():
                return read()
        except (ForbiddenError, NotFoundError, InvalidError, UnexpectedError):
            return None
        except BillingError:
            # Some reports take GitHub longer than a minute. Each change would wait for its own.
            self._details_are_off = True
            return None

    def _is_skipped(self) -> bool:
        return self._is_off or not self._run.guards.preview_reads
