"""Private files: mode 0600, replaced atomically, no symbolic links, with locks."""

from __future__ import annotations

import contextlib
import os
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

__all__ = ["FileError", "locked", "make_folder", "read", "read_given", "replace"]

# Without O_NONBLOCK a named pipe of that name would block the open forever.
_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_SAFE = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
_OTHERS = 0o077
_MAX_GIVEN = 256 * 1024 * 1024


class FileError(OSError):
    """A file cannot be read, written or locked; the message has the reason, and from `read` also the file."""


def make_folder(base: Path, *names: str) -> Path:
    """Create nested folders with mode 0700 if missing, and return the last one.

    Args:
        base: An existing folder. It may be a symbolic link; the others must not.
        names: The folders to create, outermost first.

    Raises:
        FileError: One of them is a symbolic link, is not a folder, or cannot be created.
    """
    folder = base
    for name in names:
        folder /= name
        with _explained("create the folder", folder):
            with contextlib.suppress(FileExistsError):
                folder.mkdir(0o700)
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | _SAFE)
            try:
                if folder == base.joinpath(*names) and os.fstat(descriptor).st_mode & _OTHERS:
                    os.fchmod(descriptor, 0o700)
            finally:
                os.close(descriptor)
    return folder


def read(path: Path) -> str | None:
    """Return the text of a file, or None if it does not exist.

    Raises:
        FileError: It is a symbolic link, not a regular file, not UTF-8 text, or cannot be read.
    """
    with _explained("read", path):
        try:
            content = _content(os.open(path, _READ | os.O_NOFOLLOW))
        except FileNotFoundError:
            return None
        try:
            return content.decode()
        except UnicodeDecodeError:
            raise OSError(
                "it is not UTF-8 text; restore a copy of it, or move it away to start with a new file"
            ) from None


def read_given(path: str | Path, most: int = _MAX_GIVEN) -> bytes:
    """Return the content of a file that a user names, at most `most` bytes; a symbolic link is followed.

    Raises:
        FileError: It does not exist, is too large, is not a regular file, such as a folder, a device or a named pipe,
            or cannot be read; the message is the reason alone.
    """
    try:
        return _content(os.open(path, _READ), most)
    except OSError as error:
        raise FileError(error.strerror or str(error)) from None
    except ValueError:
        raise FileError("it is not a valid path") from None


def _content(descriptor: int, most: int | None = None) -> bytes:
    """Return the content of an open file, and close it.

    Raises:
        OSError: It is not a regular file, is larger than `most` bytes, or cannot be read.
    """
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError("it is not a regular file: name another one, or remove it")
        with open(descriptor, "rb", closefd=False) as file:
            # A file may grow, and those of a system tell no size.
            content = file.read(-1 if most is None else most + 1)
        if most is not None and len(content) > most:
            raise OSError(f"it has more than {most >> 10} KiB")
        return content
    finally:
        os.close(descriptor)


def replace(path: Path, text: str) -> None:
    """Replace a file atomically and flush it to disk. Only one process may do this at a time, see `locked`.

    Raises:
        FileError: It cannot be written; the old file stays.
    """
    draft = path.with_name(f"{path.name}.new")
    with _explained("write", path, "; the file is as it was before"):
        # A killed run may have left this file. A symbolic link is removed, not followed.
        draft.unlink(missing_ok=True)
        try:
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _SAFE, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(descriptor)
            draft.replace(path)
        except OSError:
            draft.unlink(missing_ok=True)
            raise


@contextlib.contextmanager
def locked(path: Path, wait: Callable[[], None] | None = None) -> Iterator[None]:
    """Lock a file; the lock ends with the process.

    Args:
        path: The file; the lock is a separate file beside it.
        wait: Called before waiting for another process; without it, a held lock is an error.

    Raises:
        FileError: Another process holds the lock, or the lock's own file is a symbolic link or cannot be opened.
    """
    # Windows has no such module; a program there locks no file.
    import fcntl  # noqa: PLC0415

    beside = path.with_name(f"{path.name}.lock")
    with _explained("lock", beside):
        descriptor = os.open(beside, os.O_RDWR | os.O_CREAT | _SAFE, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if wait is None:
                raise FileError(f"another run is using {path}; wait until it ends, then run again") from None
            wait()
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _explained(does: str, path: Path, rest: str = "") -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        # The error number for a symbolic link depends on the system and the other flags.
        if path.is_symlink():
            reason = "it is a symbolic link, which is not followed; remove it"
        raise FileError(f"cannot {does} {path}: {reason}{rest}") from None
