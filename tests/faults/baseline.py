"""One create, a fault at its first POSTs: the test that other clients were measured with."""

from __future__ import annotations

from typing import Any, NamedTuple

from tests.faults.matrix import ENTERPRISE, budget
from tests.faults.world import World


class Row(NamedTuple):
    """One line of the comparison.

    Attributes:
        fault: What happens to the first POSTs.
        rule: The same as a plan.
        others: What was measured of PyGithub, octokit, githubkit and plain requests: outcome, budgets left, POSTs.
        expected: What ours is to do.
    """

    fault: str
    rule: dict[str, Any]
    others: tuple[str, str, str, str]
    expected: str


_TRIPLED = ("ok 3 3", "ok 3 3", "ok 3 3", "error 1 1")

ROWS = (
    Row("commit, then 500 x2", {"action": "500_after", "times": 2}, _TRIPLED, "ok 1 1"),
    Row("commit, then 502 x2", {"action": "502_after", "times": 2}, _TRIPLED, "ok 1 1"),
    Row("commit, then 503 x2", {"action": "503_after", "times": 2}, _TRIPLED, "ok 1 1"),
    Row(
        "commit, then RST x2",
        {"action": "reset_after", "times": 2},
        ("ok 3 3", "ok 3 3", "error 1 1", "error 1 1"),
        "ok 1 1",
    ),
    Row(
        "commit, then stall",
        {"action": "stall_after", "seconds": 5},
        ("ok 2 2", "-", "error 1 1", "error 1 1"),
        "ok 1 1",
    ),
    Row(
        "503 before commit x2",
        {"action": "503_before", "times": 2},
        ("ok 1 3", "ok 1 3", "ok 1 3", "error 0 1"),
        "ok 1 3",
    ),
    Row("403 with retry-after", {"action": "403_secondary"}, ("obeyed", "obeyed", "obeyed", "error"), "ok 1 2, obeyed"),
    Row("429 with retry-after", {"action": "429_secondary"}, ("obeyed", "early", "obeyed", "error"), "ok 1 2, obeyed"),
    Row("403 without headers", {"action": "403_secondary_bare"}, ("60 s", "60 s", "error", "error"), "ok 1 2, obeyed"),
    Row("429 without headers", {"action": "429_secondary_bare"}, ("error", "1 s", "error", "error"), "ok 1 2, obeyed"),
    Row("403, no permission", {"action": "403_permission"}, ("error",) * 4, "error 0 1"),
)
"""The table; what is known of the others was measured once, with the versions that are named in README."""


def measure(row: Row) -> str:
    """Return what ours does: how it ends, how many budgets are left, how many POSTs were sent."""
    with World(settings={"request_timeout_seconds": 0.5} if "stall" in row.fault else {}) as world:
        world.sandbox.plan([{**row.rule, "op": "create_budget"}])
        failure = world.up({"a": budget(ENTERPRISE)})
        posts = [write for write in world.sandbox.writes if write.method == "POST"]
        text = f"{'error' if failure else 'ok'} {len(world.live())} {len(posts)}"
        if "secondary" in row.rule["action"]:
            text += ", obeyed" if posts[1].at - posts[0].at >= 60 else ", early"
    return text
