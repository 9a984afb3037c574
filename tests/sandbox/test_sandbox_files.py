"""The private files of the sandbox and of `try`: modes, symbolic links, locks, full disks and damaged content."""

from __future__ import annotations

import contextlib
import json
import multiprocessing
import os
import resource
import signal
import threading
from typing import TYPE_CHECKING, Any

import pytest
import requests

from billing_provider.sandbox import Sandbox
from billing_provider.storage import files, json_text

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PATH = "/enterprises/octo-enterprise/settings/billing/budgets"
BODY = {
    "budget_amount": 1,
    "prevent_further_usage": False,
    "budget_alerting": {"will_alert": False, "alert_recipients": []},
    "budget_scope": "enterprise",
    "budget_type": "ProductPricing",
    "budget_product_sku": "actions",
}


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


@contextlib.contextmanager
def full_disk() -> Iterator[None]:
    """Let every write to a file fail, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_files_are_private(tmp_path: Path) -> None:
    """Files and locks have mode 0600, even if an older file had another mode; folders have 0700."""
    (tmp_path / "outer" / "inner").mkdir(parents=True)
    folder = files.make_folder(tmp_path, "outer", "inner", "last")
    assert mode(folder) == 0o700
    folder.chmod(0o755)
    assert mode(files.make_folder(tmp_path, "outer", "inner", "last")) == 0o700
    file = folder / "state.json"
    file.write_text("old")
    file.chmod(0o644)
    with files.locked(file):
        files.replace(file, "new")
        assert mode(folder / "state.json.lock") == 0o600
    assert (mode(file), files.read(file)) == (0o600, "new")


def test_symbolic_links_are_not_followed(tmp_path: Path) -> None:
    """A link in place of a file, its lock, its draft or its folder is refused or replaced; its target is kept."""
    target, file = tmp_path / "target", tmp_path / "state.json"
    target.write_text("precious")
    (tmp_path / "state.json.lock").symlink_to(target)
    with pytest.raises(files.FileError, match=r"state.json.lock: it is a symbolic link"), files.locked(file):
        pytest.fail("it is locked")
    file.symlink_to(target)
    with pytest.raises(files.FileError, match=r"cannot read .*: it is a symbolic link, which is not followed; remove"):
        files.read(file)
    (tmp_path / "state.json.new").symlink_to(target)
    files.replace(file, "text")
    assert (file.is_symlink(), file.read_text()) == (False, "text")
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "inside").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(files.FileError, match=r"inside: it is a symbolic link"):
        files.make_folder(tmp_path, "inside", "try")
    assert list((tmp_path / "elsewhere").iterdir()) == []
    assert target.read_text() == "precious"


def test_only_regular_text_files_are_read(tmp_path: Path) -> None:
    """A folder, a named pipe (which would block) and bytes that are not text are refused."""
    assert files.read(tmp_path / "missing") is None
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    (tmp_path / "bytes").write_bytes(b"\xff\xfe")
    for name, text in (
        ("pipe", "not a regular file"),
        ("folder", "folder"),
        ("bytes", "is not UTF-8 text; restore a copy"),
    ):
        with pytest.raises(files.FileError, match=text):
            files.read(tmp_path / name)
    with pytest.raises(files.FileError, match=r"cannot create the folder"):
        files.make_folder(tmp_path, "bytes", "try")


def test_a_full_disk_keeps_the_old_file(tmp_path: Path) -> None:
    """If a write fails, the file is not changed and no draft is left; the error states it."""
    file = tmp_path / "state.json"
    files.replace(file, "old")
    with full_disk(), pytest.raises(files.FileError, match=r"cannot write .*: File too large; the file is as it was"):
        files.replace(file, "new")
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("state.json", "old")]


def hold(path: Path, held: Any) -> None:
    with files.locked(path):
        held.set()
        signal.pause()


def test_a_lock_ends_with_its_process(tmp_path: Path) -> None:
    """A second process is refused, or waits if configured, until the first is killed."""
    file = tmp_path / "state.json"
    context = multiprocessing.get_context("spawn")
    held = context.Event()
    other = context.Process(target=hold, args=(file, held))
    other.start()
    held.wait()
    with pytest.raises(files.FileError, match=r"another run is using .*state.json"), files.locked(file):
        pytest.fail("it is locked")
    waits = threading.Event()

    def kill() -> None:
        waits.wait()
        other.kill()

    killer = threading.Thread(target=kill)
    killer.start()
    with files.locked(file, wait=waits.set):
        assert waits.is_set()
    killer.join()
    other.join()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[" * 5000, "nested more than 100 levels deep"),
        ("[" * 200 + "]" * 200, "nested more than 100 levels deep"),
        ("1" + "0" * 400, "a number is too large"),
        ("1" * 5000, "a number is too large"),
        ("-1e999", "a number is too large"),
        ('{"a": "' + "[" * 5000, "it is not JSON: see line 1, column 7"),
        ('["\\"[[[]", ' + "[" * 101, "nested more than 100 levels deep"),
        ("[1 2]", "it is not JSON: see line 1, column 4"),
        # Python 3.13 has other words and another place for these two.
        ('{"a": 1,\n }', "it is not JSON: see line 2, column 2"),
        ("[1, ]", "it is not JSON: see line 1, column 5"),
        ('{"\\ud800": 1}', "surrogates not allowed"),
        (b"\xff", "invalid start byte"),
        ("{", "it is not JSON: see line 1, column 2"),
    ],
)
def test_unsupported_json_is_refused(text: str | bytes, said: str) -> None:
    """JSON that Python cannot read, or cannot write again, is a ValueError."""
    with pytest.raises(ValueError, match=said):
        json_text.parse(text)


def test_the_sandbox_survives_a_full_disk(tmp_path: Path) -> None:
    """A change that cannot be saved gets 507 and is undone; the file and the sandbox are not changed."""
    file = tmp_path / "state.json"
    with Sandbox(state_file=file, control=True) as sandbox, requests.Session() as client:
        client.headers["Authorization"] = f"Bearer {sandbox.token}"
        first = client.post(sandbox.url + PATH, json=BODY).json()["budget"]
        before, text = sandbox.snapshot(), file.read_text()
        control = sandbox.url.replace("/api/v3", "/_sandbox")
        control_headers = {"X-Sandbox-Control": sandbox.control_token}
        with full_disk():
            replies = [
                client.post(sandbox.url + PATH, json=BODY),
                client.patch(f"{sandbox.url}{PATH}/{first['id']}", json={"budget_amount": 2}),
                client.delete(f"{sandbox.url}{PATH}/{first['id']}"),
                client.post(f"{control}/reset", headers=control_headers),
            ]
            with pytest.raises(files.FileError):
                sandbox.add_budget("enterprise", "octo-enterprise")
            with pytest.raises(files.FileError):
                Sandbox(state_file=tmp_path / "other.json")
        assert [reply.status_code for reply in replies] == [507] * 4
        assert {"cannot write" in reply.json()["message"] for reply in replies} == {True}
        assert (sandbox.snapshot(), file.read_text()) == (before, text)
        assert client.delete(f"{sandbox.url}{PATH}/{first['id']}").status_code == 200
    assert mode(file) == 0o600


def kept(**changes: Any) -> dict[str, Any]:
    """Return the content of a sandbox with one record of each kind."""
    sandbox = Sandbox()
    budget = sandbox.add_budget("enterprise", "octo-enterprise")["id"]
    content = sandbox.snapshot()
    assert content["budgets"][0]["id"] == budget
    content["exports"] = [
        {"id": "e", "report_type": "detailed", "actor": "a", "start_date": "2026-01-01", "end_date": "2026-01-02",
         "created_at": 1.0, "looks": 0}
    ]  # fmt: skip
    for place, value in changes.items():
        name, _, field = place.partition("__")
        if field:
            content[name][0][field] = value
        else:
            content[name] = value
    return content


@pytest.mark.parametrize(
    "changes",
    [
        {"made": None},
        {"made": -1},
        {"budgets": {}},
        {"budgets": [5]},
        {"budgets": [{"id": "x"}]},
        {"budgets__color": "red"},
        {"budgets__id": []},
        {"budgets__owner_kind": "user"},
        {"budgets__budget_amount": "1"},
        {"budgets__budget_amount": True},
        {"budgets__budget_amount": -1},
        {"budgets__budget_type": "BundlePricing"},
        {"budgets__budget_scope": "cost_center"},
        {"budgets__prevent_further_usage": 1},
        {"budgets__budget_alerting": None},
        {"budgets__budget_alerting": {"will_alert": 1, "alert_recipients": []}},
        {"budgets__budget_alerting": {"will_alert": True, "alert_recipients": [1]}},
        {"budgets__user": 5},
        {"budgets__created_at": 1e300},
        {"budgets__hidden_listings": 1.5},
        {"cost_centers": None},
        {"cost_centers__resources": [{"type": "User"}]},
        {"cost_centers__resources": {}},
        {"exports__start_date": "yesterday"},
        {"exports__start_date": 5},
    ],
    ids=str,
)
def test_a_damaged_state_file_is_refused(tmp_path: Path, changes: dict[str, Any]) -> None:
    """The error names a file with a wrong type and the repair, and the file is kept; such a snapshot is refused too."""
    file = tmp_path / "state.json"
    file.write_text(json.dumps(kept(**changes)))
    before = file.read_bytes()
    with pytest.raises(
        ValueError, match=r"state.json: not a valid sandbox state: .*; restore a copy of the file, or move"
    ):
        Sandbox(state_file=file)
    assert file.read_bytes() == before
    sandbox = Sandbox()
    whole = sandbox.snapshot()
    with pytest.raises(ValueError, match=r"not a valid sandbox state"):
        sandbox.restore(kept(**changes))
    assert sandbox.snapshot() == whole


def test_files_of_older_sandboxes_are_read(tmp_path: Path) -> None:
    """A file without exports and without later fields is read."""
    content = kept()
    del content["exports"]
    for name in ("user", "expires_at", "exclude_cost_center_usage", "created_at", "hidden_listings"):
        del content["budgets"][0][name]
    (tmp_path / "state.json").write_text(json.dumps(content))
    assert len(Sandbox(state_file=tmp_path / "state.json").budgets()) == 1


@pytest.mark.parametrize("text", ["[" * 100 + "]" * 100, '["' + "[{" * 200 + '"]', "1" + "0" * 308, '{"a": 1.5e308}'])
def test_json_within_the_limits_is_read(text: str) -> None:
    """A hundred levels, brackets in a text and the largest numbers are read as Python reads them."""
    assert json_text.parse(text) == json.loads(text)
