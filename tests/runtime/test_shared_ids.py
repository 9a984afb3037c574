"""The file in which the processes of one engine run share the ids that they declare."""

from __future__ import annotations

import contextlib
import os
import resource
import stat
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_provider.runtime.shared_ids import SharedIds, key_id

if TYPE_CHECKING:
    from collections.abc import Iterator

ENGINE = "127.0.0.1:43885"
ONE, TWO, THREE = (f"urn:pulumi:dev::p::pulumi-python:dynamic/github-billing:EnterpriseBudget::{n}" for n in "abc")
DAY = 24 * 60 * 60


@pytest.fixture(autouse=True)
def temp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A temporary folder of this test."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


@contextlib.contextmanager
def full_disk() -> Iterator[None]:
    """Let every write to a file fail, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def only_file(temp: Path) -> Path:
    """Return the one shared file."""
    (found,) = [each for each in temp.rglob("*") if each.is_file()]
    return found


def started(address: str = ENGINE) -> SharedIds:
    """Return the ids of a program that has just begun."""
    shared = SharedIds(address)
    shared.start()
    return shared


def test_a_plugin_knows_what_the_program_declares() -> None:
    """The id that a program records has a holder in another process of the same engine, and in no other engine."""
    program, plugin, other = started(), SharedIds(ENGINE), SharedIds("127.0.0.1:43886")
    assert plugin.holder("enterprise/octo/b-1") is None
    program.add("enterprise/octo/b-1", ONE)
    assert plugin.holder("enterprise/octo/b-1") == ONE
    assert plugin.holder("enterprise/octo/b-2") is None
    assert other.holder("enterprise/octo/b-1") is None


def test_a_program_knows_what_a_plugin_adopts() -> None:
    """Plugins of one engine share their adoptions, each in its own line."""
    started()
    one, two = SharedIds(ENGINE), SharedIds(ENGINE)
    one.add("b-1", ONE)
    two.add("b-2", TWO)
    assert [two.holder("b-1"), one.holder("b-2")] == [ONE, TWO]


@pytest.mark.parametrize("asked", ["enterprise/octo/b-1a", "Enterprise/OCTO/B-1A", "b-1a", "B-1A", "x/octo/b-1A"])
def test_ids_compare_by_the_id_of_github_without_case(asked: str) -> None:
    """A resource id and GitHub's own id are one, in every spelling."""
    shared = started()
    shared.add("enterprise/Octo/b-1A", ONE)
    assert shared.holder(asked) == ONE
    assert shared.holder(f"{asked}-") is None


def test_the_last_other_resource_holds_an_id() -> None:
    """The resource that asks does not count; of several others, the last one does."""
    shared = started()
    for urn in (ONE, TWO, ONE, THREE):
        shared.add("b-1", urn)
    assert shared.holder("b-1") == THREE
    assert shared.holder("b-1", other_than=THREE) == ONE
    assert shared.holder("b-1", other_than=TWO) == THREE
    shared.add("b-2", ONE)
    assert shared.holder("b-2", other_than=ONE) is None


def test_a_new_program_drops_what_an_older_run_left() -> None:
    """An engine that gets the port of an older one sees nothing of it, also where the plugin has read it before."""
    started().add("b-1", ONE)
    plugin = SharedIds(ENGINE)
    assert plugin.holder("b-1") == ONE
    program = started()
    assert plugin.holder("b-1") is None
    program.add("b-2", TWO)
    assert [plugin.holder("b-1"), plugin.holder("b-2")] == [None, TWO]


def test_an_ended_program_leaves_nothing(temp: Path) -> None:
    """The end removes the file; the end of an older program does not remove that of a newer one."""
    program = started()
    program.add("b-1", ONE)
    program.end()
    assert SharedIds(ENGINE).holder("b-1") is None
    older, newer = started(), started()
    newer.add("b-2", TWO)
    older.end()
    assert SharedIds(ENGINE).holder("b-2") == TWO
    newer.end()
    newer.end()
    assert [each for each in temp.rglob("*") if each.is_file()] == []


def test_an_end_without_a_start_removes_nothing() -> None:
    """A plugin has no file of its own."""
    started().add("b-1", ONE)
    SharedIds(ENGINE).end()
    assert SharedIds(ENGINE).holder("b-1") == ONE


def test_nothing_counts_without_a_program(temp: Path) -> None:
    """A file that no program has begun, or whose program has ended, is of an older run with the same address."""
    SharedIds(ENGINE).add("b-1", ONE)
    assert SharedIds(ENGINE).holder("b-1") is None
    started().add("b-1", ONE)
    assert SharedIds(ENGINE).holder("b-1") == ONE
    (file,) = (path for path in temp.rglob("*") if path.is_file())
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    file.write_text(f"# {ended.pid} 1.0\nb-1\t{ONE}\n")
    assert SharedIds(ENGINE).holder("b-1") is None


def test_files_are_private(temp: Path) -> None:
    """Folder and file are for this user only, whatever the umask is."""
    before = os.umask(0)
    try:
        started().add("b-1", ONE)
    finally:
        os.umask(before)
    file = only_file(temp)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert file.parent.parent == temp


def test_a_program_names_itself_in_the_file(temp: Path) -> None:
    """The first line has the process and the time of the start."""
    before = time.time()
    started()
    mark, process, start = only_file(temp).read_text().split()
    assert (mark, int(process)) == ("#", os.getpid())
    assert before <= float(start) <= time.time()


@pytest.mark.parametrize("made", ["link", "open", "file"])
def test_a_folder_that_others_can_write_is_not_used(temp: Path, made: str) -> None:
    """A folder that is a symbolic link, open to others or a file is left alone: nothing is shared."""
    started()
    folder = only_file(temp).parent
    only_file(temp).unlink()
    folder.rmdir()
    elsewhere = temp / "elsewhere"
    elsewhere.mkdir()
    if made == "link":
        folder.symlink_to(elsewhere)
    elif made == "open":
        folder.mkdir()
        folder.chmod(0o770)
    else:
        folder.write_text("")
    shared = started()
    shared.add("b-1", ONE)
    shared.end()
    assert shared.holder("b-1") is None
    assert list(elsewhere.iterdir()) == []
    assert not folder.is_dir() or list(folder.iterdir()) == []


def test_a_folder_of_another_user_is_not_used(temp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that another user has made is left alone."""
    user = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: user + 1)
    (temp / f"github-billing-{user + 1}").mkdir(0o700)
    shared = started()
    shared.add("b-1", ONE)
    assert shared.holder("b-1") is None


def test_a_system_without_user_ids_shares_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the temporary folder is private already, as on Windows, no owner is compared."""
    monkeypatch.delattr(os, "getuid")
    started().add("b-1", ONE)
    assert SharedIds(ENGINE).holder("b-1") == ONE


def test_a_file_that_is_a_link_is_not_followed(temp: Path) -> None:
    """Nothing is appended to the target of a symbolic link, and a new program replaces the link."""
    started()
    file = only_file(temp)
    file.unlink()
    target = temp / "target"
    target.write_text("")
    file.symlink_to(target)
    SharedIds(ENGINE).add("b-1", ONE)
    assert target.read_text() == ""
    assert SharedIds(ENGINE).holder("b-1") is None
    started().add("b-2", TWO)
    assert SharedIds(ENGINE).holder("b-2") == TWO
    assert target.read_text() == ""


@pytest.mark.parametrize("address", ["", "-m", "127.0.0.1", "127.0.0.1:", ":80", "host:port", "../../up:x"])
def test_without_an_address_there_is_no_file(temp: Path, address: str) -> None:
    """A text that is no address of an engine names no file."""
    shared = started(address)
    shared.add("b-1", ONE)
    shared.end()
    assert shared.holder("b-1") is None
    assert list(temp.iterdir()) == []


@pytest.mark.parametrize("address", ["[::1]:80", "/etc/../x:80", "a b:80"])
def test_every_address_names_a_file_in_the_folder(temp: Path, address: str) -> None:
    """The name of the file holds no part of an address that is a path."""
    started(address).add("b-1", ONE)
    assert SharedIds(address).holder("b-1") == ONE
    assert only_file(temp).parent.parent == temp


def test_a_missing_temporary_folder_is_no_error(temp: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no folder can be made, nothing is shared."""
    monkeypatch.setattr(tempfile, "tempdir", str(temp / "missing"))
    shared = started()
    shared.add("b-1", ONE)
    assert shared.holder("b-1") is None
    shared.end()


def test_a_folder_that_disappears_is_no_error(temp: Path) -> None:
    """A sweeper of temporary files may remove the folder at any time."""
    shared = started()
    shared.add("b-1", ONE)
    file = only_file(temp)
    file.unlink()
    file.parent.rmdir()
    assert shared.holder("b-1") is None
    shared.add("b-1", ONE)
    shared.end()
    shared.start()
    assert list(temp.iterdir()) == []


def test_a_full_disk_keeps_nothing_of_an_older_run(temp: Path) -> None:
    """A program that cannot write its first line has dropped the old ones."""
    started().add("b-1", ONE)
    plugin = SharedIds(ENGINE)
    with full_disk():
        program = started()
        program.add("b-2", TWO)
    assert [plugin.holder("b-1"), plugin.holder("b-2")] == [None, None]
    program.end()
    assert only_file(temp).read_bytes() == b""


def killed(address: str = ENGINE, id_: str = "b-1", urn: str = ONE) -> None:
    """Run a program that shares an id and is killed."""
    code = (
        "import os\nfrom billing_provider.runtime.shared_ids import SharedIds\n"
        f"shared = SharedIds({address!r})\nshared.start()\nshared.add({id_!r}, {urn!r})\nos._exit(9)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "TMPDIR": tempfile.gettempdir()}, check=False
    )
    assert done.returncode == 9


def test_a_plugin_may_begin_after_the_program_has_shared_all(temp: Path) -> None:
    """With `--target`, the only call of the plugin can be a delete: it begins after the registrations."""
    started().add("b-1", ONE)
    os.utime(only_file(temp), (1, 1))
    plugin = SharedIds(ENGINE)
    assert plugin.holder("b-1") == ONE
    plugin.add("b-2", TWO)
    assert [SharedIds(ENGINE).holder("b-1"), SharedIds(ENGINE).holder("b-2")] == [ONE, TWO]


def test_what_a_killed_program_left_does_not_count(temp: Path) -> None:
    """A run without a program sees nothing of an older run whose engine had the same address."""
    before = SharedIds(ENGINE)
    assert before.holder("b-1") is None
    killed()
    assert ONE in only_file(temp).read_text()
    assert [SharedIds(ENGINE).holder("b-1"), before.holder("b-1")] == [None, None]
    started().add("b-2", TWO)
    assert [before.holder("b-1"), before.holder("b-2")] == [None, TWO]


NO_PROCESS = ["", "# 0 1.5\n", "# -1 1.5\n", "# 99999999999 1.5\n", "# 999999999 1.5\n", "# x 1\n", "#1 1\n", "# 1\n"]


@pytest.mark.parametrize("first", NO_PROCESS)
def test_a_first_line_that_names_no_process_does_not_count(temp: Path, first: str) -> None:
    """A file counts only if its first line names a process that runs."""
    started()
    only_file(temp).write_text(f"{first}b-1\t{ONE}\n")
    assert SharedIds(ENGINE).holder("b-1") is None
    only_file(temp).write_text(f"# {os.getpid()} 1.5\nb-1\t{ONE}\n")
    assert SharedIds(ENGINE).holder("b-1") == ONE


def test_processes_are_not_asked_where_that_would_end_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """On Windows a signal ends a process, so a file counts there until it is removed."""
    monkeypatch.delattr(os, "getuid")
    monkeypatch.delattr(os, "kill")
    started().add("b-1", ONE)
    assert SharedIds(ENGINE).holder("b-1") == ONE


def test_a_program_that_cannot_be_asked_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a system does not allow the question, the program may run."""

    def refuse(_process: int, _signal: int) -> None:
        raise PermissionError

    started().add("b-1", ONE)
    monkeypatch.setattr(os, "kill", refuse)
    assert SharedIds(ENGINE).holder("b-1") == ONE


def test_old_files_are_removed(temp: Path) -> None:
    """The next program of any engine removes what is older than a day; a newer file stays."""
    killed()
    old = only_file(temp)
    os.utime(old, (time.time() - DAY - 60,) * 2)
    started("127.0.0.1:1")
    assert not old.exists()
    started("127.0.0.1:2")
    assert len(list(old.parent.iterdir())) == 2


def test_what_cannot_be_removed_is_no_error(temp: Path) -> None:
    """An old folder among the files stays, and the program begins."""
    started()
    inner = only_file(temp).parent / "inner"
    inner.mkdir()
    os.utime(inner, (time.time() - DAY - 60,) * 2)
    started().add("b-1", ONE)
    assert SharedIds(ENGINE).holder("b-1") == ONE
    assert inner.is_dir()


BROKEN = [
    *("", "\n\n", "# 1 2\n", "b-1\n", f"b-1 {ONE}\n", f"b-1\t{ONE}", f"\t{ONE}\n", f"b-1\t{ONE}\tx\n", "b-1\turn\n"),
    *(f"b 1\t{ONE}\n", f"{'b' * 101}\t{ONE}\n", f"b-1/\t{ONE}\n", "\0" * 99, f"b-1\t{ONE[:9]}"),
]


@pytest.mark.parametrize("text", BROKEN)
def test_a_broken_line_is_skipped(temp: Path, text: str) -> None:
    """A line that is damaged or not complete names no holder, and the lines after it are read."""
    shared = started()
    file = only_file(temp)
    with file.open("a") as opened:
        opened.write(text)
    assert shared.holder("b-1") is None
    with file.open("a") as opened:
        opened.write(f"\nb-2\t{TWO}\n")
    assert shared.holder("b-2") == TWO


@given(st.binary())
def test_any_content_is_readable(content: bytes) -> None:
    """No bytes of the file are an error."""
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(tempfile, "tempdir", folder)
        shared = started()
        only_file(Path(folder)).write_bytes(content)
        assert shared.holder("b-1") is None
        shared.add("b-2", TWO)
        shared.end()


@pytest.mark.parametrize(
    ("id_", "urn"),
    [("b-1\n", ONE), ("b\t1", ONE), ("b-1", f"{ONE}\n"), ("b-1", f"{ONE}\tx"), ("", ONE), ("b-1", ""), ("b-1", "a")],
)
def test_what_is_no_id_or_urn_is_not_written(temp: Path, id_: str, urn: str) -> None:
    """A text that would break the lines of the file is left out."""
    shared = started()
    before = only_file(temp).read_text()
    shared.add(id_, urn)
    assert only_file(temp).read_text() == before


def test_a_urn_is_any_text() -> None:
    """A name with other letters is shared as it is; one that cannot be encoded is no error."""
    shared = started()
    shared.add("b-1", f"{ONE} größer 予算")
    shared.add("b-2", f"{ONE}\ud800")
    assert SharedIds(ENGINE).holder("b-1") == f"{ONE} größer 予算"


def test_many_writers_lose_nothing() -> None:
    """Threads and processes that write at once each have all their lines."""
    started()
    count = 200

    def write(which: str) -> None:
        shared = SharedIds(ENGINE)
        for number in range(count):
            shared.add(f"{which}-{number}", ONE)

    code = (
        "from billing_provider.runtime.shared_ids import SharedIds\n"
        f"for n in range({count}): SharedIds({ENGINE!r}).add(f'process-{{n}}', {ONE!r})"
    )
    process = subprocess.Popen([sys.executable, "-c", code], env={**os.environ, "TMPDIR": tempfile.gettempdir()})
    threads = [threading.Thread(target=write, args=(f"thread{each}",)) for each in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert process.wait() == 0
    shared = SharedIds(ENGINE)
    writers = ("thread0", "thread1", "process")
    assert [f"{w}-{n}" for w in writers for n in range(count) if shared.holder(f"{w}-{n}") != ONE] == []


def test_a_program_reads_what_it_listens_to(temp: Path) -> None:
    """A plugin tells a topic to the program that listens, in lines; without one, or on a full disk, it says so."""
    del temp
    program, plugin = SharedIds(ENGINE), SharedIds(ENGINE)
    program.start()
    assert not plugin.tell("people", '{"a": 1}')
    program.listen("people")
    assert plugin.tell("people", '{"a": 1}')
    assert plugin.tell("people", "two")
    assert not plugin.tell("others", "three")
    assert (program.told("people"), program.told("others")) == (['{"a": 1}', "two"], [])
    assert program.holder("people") is None
    with full_disk():
        assert not plugin.tell("people", "four")
    assert not SharedIds("").tell("people", "five")


def test_declared_keys_are_shared_as_ids() -> None:
    """A key that the program declares has a holder, and each part of a key counts."""
    program, plugin = SharedIds(ENGINE), SharedIds(ENGINE)
    program.start()
    program.add_all([(key_id(("a", "b")), ONE), (key_id(("a", "c")), TWO)])
    assert plugin.holder(key_id(("a", "b"))) == ONE
    assert plugin.holder(key_id(("ab", ""))) is None
