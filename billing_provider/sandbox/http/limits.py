"""GitHub's rate limits: pending waits, and writes that are too frequent."""

from __future__ import annotations

from collections import deque

# GitHub asks for one second between writes. Slightly less is accepted, because arrival times vary.
_GAP = 0.9
_WINDOWS = ((60, 80), (3600, 500))


class RateLimits:
    """The waits that clients were asked for, and the writes of each token in the last hour."""

    def __init__(self) -> None:
        self.requests_while_blocked = 0
        self.unpaced_writes = 0
        self._blocked_until = 0.0
        self._told: set[int] = set()
        self._client = 0
        self._writes: dict[str, deque[float]] = {}
        self._last: dict[str, float] = {}

    def count_request(self, now: float, client: int, *, is_read: bool) -> None:
        """Count a request that was sent before the end of a requested wait.

        The first read of each other connection can have been on its way when the wait was requested.

        Args:
            now: The time of the sandbox's clock.
            client: The port of the client, which is that of the connection.
            is_read: Whether it changes nothing.
        """
        is_blocked = now < self._blocked_until
        self.requests_while_blocked += is_blocked and (client in self._told or not is_read)
        self._told.add(client)
        self._client = client

    def block(self, until: float) -> None:
        """Record that the client of the current request was asked to wait until `until`."""
        self._blocked_until = max(self._blocked_until, until)
        self._told = {self._client}

    def write(self, token: str, now: float) -> float:
        """Return the seconds to wait for the limits of the minute and the hour; 0 accepts and counts the write."""
        self.unpaced_writes += now - self._last.get(token, float("-inf")) < _GAP
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
