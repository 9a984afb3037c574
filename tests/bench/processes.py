"""Processor time and peak memory of a command and of all processes below it, by what they do."""

from __future__ import annotations

import os
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

ROLES = ("program", "plugin", "engine")
"""The program, the provider's plugin, and all others: the embedded engine, or the Pulumi CLI with its helpers."""

_PROC = Path("/proc")
_INTERVAL_SECONDS = 0.02
_SIGNS = {
    "pulumi.dynamic": "plugin",
    "pulumi-resource-pulumi-python": "plugin",
    "pulumi-language-python-exec": "program",
    "engine/program.py": "program",
}


class FailedCommandError(RuntimeError):
    """A measured command failed; the text is what it printed."""


@dataclass(frozen=True)
class Usage:
    """What a command used: wall seconds, and by role processor seconds (user and system) and the peak in MB."""

    wall: float
    cpu: dict[str, float]
    peak: dict[str, float]


def is_supported() -> bool:
    """Return whether this system shows the processor time of other processes: Linux."""
    return (_PROC / "self" / "stat").exists()


def run(command: Sequence[str], cwd: Path, env: Mapping[str, str]) -> Usage:
    """Run a command to its end, and return what it and its children used.

    The figures of a process below it are the last before its end, so each may lack up to 0.03 s.

    Raises:
        FailedCommandError: Its exit code is not 0.
    """
    log = cwd / "bench.log"
    with log.open("w") as output:
        began = time.perf_counter()
        process = subprocess.Popen(
            command, cwd=cwd, env=dict(env), stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
        )
        tree = _Tree(process.pid)
        # It ends, but stays readable until it is waited for.
        while os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
            tree.look()
            time.sleep(_INTERVAL_SECONDS)
        wall = time.perf_counter() - began
        tree.look()
    if process.wait():
        raise FailedCommandError(f"{' '.join(command)}\n{log.read_text()}")
    return Usage(wall, tree.cpu(), tree.peak())


class _Tree:
    """The processes below one, with the last figures of each."""

    def __init__(self, root: int) -> None:
        self._figures: dict[int, tuple[float, float]] = {root: (0.0, 0.0)}
        self._roles = {root: "engine"}
        self._others = {os.getpid()}
        self._tick = os.sysconf("SC_CLK_TCK")

    def look(self) -> None:
        """Read the figures of all processes that are there."""
        for pid in sorted(int(each.name) for each in _PROC.iterdir() if each.name.isdigit()):
            if pid not in self._others:
                try:
                    self._read(pid)
                except (FileNotFoundError, ProcessLookupError):
                    # It has ended: its last figures stay.
                    continue

    def _read(self, pid: int) -> None:
        folder = _PROC / str(pid)
        # The name of the program, in parentheses, may contain spaces.
        fields = (folder / "stat").read_text().rpartition(")")[2].split()
        if pid not in self._figures:
            if int(fields[1]) not in self._figures:
                self._others.add(pid)
                return
            self._figures[pid] = (0.0, 0.0)
        command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        # Until it executes its own, a new process shows the command of its parent.
        for sign, role in _SIGNS.items():
            if sign in command:
                self._roles[pid] = role
        status = (folder / "status").read_text()
        peak = next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM")), 0) / 1024
        cpu = (int(fields[11]) + int(fields[12])) / self._tick
        self._figures[pid] = (max(cpu, self._figures[pid][0]), max(peak, self._figures[pid][1]))

    def cpu(self) -> dict[str, float]:
        """Return the processor seconds by role."""
        return {role: round(sum(cpu for cpu, _ in self._of(role)), 2) for role in ROLES}

    def peak(self) -> dict[str, float]:
        """Return the peak in MB of the largest process of each role."""
        return {role: round(max((peak for _, peak in self._of(role)), default=0.0), 1) for role in ROLES}

    def _of(self, role: str) -> list[tuple[float, float]]:
        return [found for pid, found in self._figures.items() if self._roles.get(pid, "engine") == role]
