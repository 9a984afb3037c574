"""GitHub's limits: who must wait until when, and which writes are too close or too many."""

from __future__ import annotations

from collections import deque

__all__ = ["Limits"]

# GitHub asks for a second between writes. What arrives here has a jitter of its own, so a little less is no haste.
_GAP = 0.9
_WINDOWS = ((60, 80), (3600, 500))


class Limits:
    """The waits that were asked for, and the writes of each token in the last hour."""

    def __init__(self) -> None:
        self.requests_while_blocked = 0
        self.hasty_writes = 0
        self._blocked_until = 0.0
        self._writes: dict[str, deque[float]] = {}
        self._last: dict[str, float] = {}

    def arrive(self, now: float) -> None:
        """Count a request that was sent though the client was told to wait."""
        self.requests_while_blocked += now < self._blocked_until

    def block(self, until: float) -> None:
        """Remember that the client was told to send nothing before `until`."""
        self._blocked_until = max(self._blocked_until, until)

    def write(self, token: str, now: float) -> float:
        """Return the seconds a write came too early for the minute and the hour; 0 lets it pass and counts it."""
        self.hasty_writes += now - self._last.get(token, float("-inf")) < _GAP
        self._last[token] = now
        writes = self._writes.setdefault(token, deque())
        while writes and writes[0] <= now - _WINDOWS[-1][0]:
            writes.popleft()
        wait = 0.0
        for length, most in _WINDOWS:
            recent = [at for at in writes if at > now - length]
            if len(recent) >= most:
                wait = max(wait, recent[-most] + length - now)
        if not wait:
            writes.append(now)
        return wait
