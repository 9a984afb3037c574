"""What the processes of one engine run share: what its program declares, what its plugins adopt, and what they tell."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import stat
import tempfile
import threading
import time
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_ADDRESS = re.compile(r".+:[0-9]+")
_ENTRY = re.compile(r"(?:[^\t\n]*/)?([A-Za-z0-9_-]{1,100})\t(urn:pulumi:[^\t\n]+)")
_TOLD = re.compile(r"!([^\t\n]+)\t([^\n]+)")
_LISTENS = re.compile(r"\?([^\t\n]+)")
_OLD_SECONDS = 24 * 60 * 60
_FIRST_LINE = re.compile(r"# ([1-9][0-9]{0,8}) ")
# Windows has no such flag; the temporary folder of a user is private there.
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)


class _Content:
    """The content of the file; a line that is damaged is skipped.

    Args:
        lines: Its lines.

    Attributes:
        listeners: The topics that the program reads.
        told: The messages of each topic, oldest first.
    """

    def __init__(self, lines: Iterable[str] = ()) -> None:
        self.listeners: set[str] = set()
        self.told: dict[str, list[str]] = {}
        self._entries: list[str] = []
        for line in lines:
            if told := line.startswith("!") and _TOLD.fullmatch(line):
                self.told.setdefault(told[1], []).append(told[2])
            elif listens := line.startswith("?") and _LISTENS.fullmatch(line):
                self.listeners.add(listens[1])
            else:
                self._entries.append(line)

    @cached_property
    def urns(self) -> dict[str, list[str]]:
        """The URNs of each id, oldest first: thousands, of which a run may need none."""
        found: dict[str, list[str]] = {}
        for entry in filter(None, map(_ENTRY.fullmatch, self._entries)):
            found.setdefault(entry[1].lower(), []).append(entry[2])
        return found


def key_id(key: tuple[str, ...]) -> str:
    """Return a key that a resource declares in the form of an id."""
    return f"key-{hashlib.sha256(chr(0).join(key).encode()).hexdigest()}"


class SharedIds:
    """A private file of one engine run, in which an id names the resource that declares or adopted the object.

    A plugin sees only the resources that the engine lets it check. In a run with `--target` these are the targets; the
    program declares the others too, and knows their ids from the state. Plugins with other settings are other
    processes.

    The file is a help, never a need: where it cannot be read or written, a process knows only what it sees itself.

    Args:
        address: The engine's `host:port`, which the program and the plugins of a run have in common; without one,
            nothing is shared.
    """

    def __init__(self, address: str) -> None:
        name = re.sub(r"[^0-9A-Za-z]+", "-", address) if _ADDRESS.fullmatch(address) else ""
        folder = _private_folder() if name else None
        self._path = folder / name if folder else None
        self._first_line = ""
        self._lock = threading.Lock()
        self._seen: tuple[int, ...] = ()
        self._content = _Content()

    def start(self) -> None:
        """Begin the file of a program: an older run whose engine had the same address has left nothing then."""
        if self._path is None:
            return
        _sweep(self._path.parent)
        first_line = f"# {os.getpid()} {time.time()}\n"
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)
            _append(self._path, first_line, new=True)
            self._first_line = first_line

    def end(self) -> None:
        """Remove the file of this program, unless a newer program has begun its own."""
        if self._path is None or not self._first_line:
            return
        with contextlib.suppress(OSError):
            if self._path.read_bytes().startswith(self._first_line.encode()):
                self._path.unlink()

    def add(self, id_: str, urn: str) -> None:
        """Record the resource that declares or adopted an object, once the program has begun; a failure is no error.

        Args:
            id_: The resource's id, or GitHub's own.
            urn: The URN of the resource.
        """
        self.add_all([(id_, urn)])

    def add_all(self, entries: Iterable[tuple[str, str]]) -> None:
        """Record several; see `add`."""
        lines = [f"{id_}\t{urn}" for id_, urn in entries]
        text = "".join(f"{line}\n" for line in lines if _ENTRY.fullmatch(line))
        if text:
            self._write(text)

    def holder(self, id_: str, *, other_than: str = "") -> str | None:
        """Return the URN of the last resource that has an id, or None.

        Args:
            id_: The resource's id, or GitHub's own; case does not count.
            other_than: The URN of a resource that does not count.
        """
        with self._lock:
            urns = self._read().urns.get(id_.rpartition("/")[2].lower(), [])
        return next((urn for urn in reversed(urns) if urn != other_than), None)

    def listen(self, topic: str) -> None:
        """Let the plugins tell a topic to this program, instead of showing it."""
        self._write(f"?{topic}\n")

    def tell(self, topic: str, message: str) -> bool:
        """Tell the program a message of one line, and return whether it listens to the topic."""
        with self._lock:
            if topic not in self._read().listeners:
                return False
        return self._write(f"!{topic}\t{message}\n")

    def told(self, topic: str) -> list[str]:
        """Return what the plugins have told of a topic."""
        with self._lock:
            return list(self._read().told.get(topic, []))

    def _write(self, text: str) -> bool:
        """Append lines, and return whether that was possible."""
        if self._path is None:
            return False
        try:
            _append(self._path, text)
        except OSError:
            return False
        return True

    def _read(self) -> _Content:
        """Return the content of the file, which is read again only if it has changed."""
        nothing = _Content()
        if self._path is None:
            return nothing
        try:
            status = self._path.lstat()
            if not stat.S_ISREG(status.st_mode):
                return nothing
            seen = (status.st_ino, status.st_size, status.st_mtime_ns)
            if seen != self._seen:
                self._content, self._seen = _parse(self._path.read_bytes()), seen
        except OSError:
            return nothing
        return self._content


def _private_folder() -> Path | None:
    """Return the folder of the files, made if missing; None if it is not this user's alone."""
    user = getattr(os, "getuid", lambda: None)()
    try:
        folder = Path(tempfile.gettempdir(), f"github-billing-{'run' if user is None else user}")
        with contextlib.suppress(FileExistsError):
            folder.mkdir(0o700)
        status = folder.lstat()
    except OSError:
        return None
    is_private = user is None or (status.st_uid == user and not status.st_mode & 0o077)
    return folder if stat.S_ISDIR(status.st_mode) and is_private else None


def _append(file: Path, text: str, *, new: bool = False) -> None:
    """Append a text to a file, maybe a new one, with one write: lines of several processes do not mix.

    Raises:
        OSError: It cannot be written.
    """
    descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | (os.O_CREAT if new else 0) | _NO_LINK, 0o600)
    try:
        # A local file takes any length at once.
        os.write(descriptor, text.encode(errors="replace"))
    finally:
        os.close(descriptor)


def _parse(content: bytes) -> _Content:
    """Return the content of the file; a line that is not complete is skipped.

    Nothing counts if the program has ended: the file is then of an older run, whose engine had the same address. A
    program waits until its engine has deleted everything.
    """
    program = _FIRST_LINE.match(content[:80].decode(errors="replace"))
    if program is None or not _is_alive(int(program[1])):
        return _Content()
    return _Content(content.decode(errors="replace").split("\n")[:-1])


def _is_alive(process_id: int) -> bool:
    """Return whether a process exists, or cannot be asked: on Windows, a signal would end it."""
    if not hasattr(os, "getuid"):
        return True
    try:
        os.kill(process_id, 0)
    except OSError as error:
        return isinstance(error, PermissionError)
    return True


def _sweep(folder: Path) -> None:
    """Remove what killed runs have left: no run is silent for a day."""
    with contextlib.suppress(OSError):
        for file in folder.iterdir():
            with contextlib.suppress(OSError):
                if file.lstat().st_mtime < time.time() - _OLD_SECONDS:
                    file.unlink()
