"""Files that a user names: what is no file, or too large, is an error in each place, never a wait."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from billing_provider.cli import main
from billing_provider.core.credentials import read_credentials
from billing_provider.core.errors import ConfigError
from billing_provider.engine import Engine
from billing_provider.engine.errors import SettingsError
from billing_provider.storage import files
from billing_provider.transport.session import FAILURES, Session, limits

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

REFUSED = {"pipe": "it is not a regular file", "device": "it is not a regular file", "huge": "it has more than"}


def given(kind: str, folder: Path) -> Path:
    """Return a path that is no file to read: a folder, a pipe that nobody writes, an endless device, a huge file."""
    path = folder / kind
    if kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    else:
        with path.open("wb") as file:
            file.truncate(8 * 1024**3)
    return path


def key(path: Path, _: pytest.MonkeyPatch) -> None:
    read_credentials(None, {"GITHUB_BILLING_APP_ID": "1", "GITHUB_BILLING_APP_PRIVATE_KEY_FILE": str(path)})


def bundle(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(path))
    with Session().exchange("GET", "https://127.0.0.1:9", limits(1, 1), {}):
        """Nothing is sent."""


def passphrase(path: Path, _: pytest.MonkeyPatch) -> None:
    project = path.parent / "project"
    project.mkdir()
    (project / "Pulumi.yaml").write_text("name: shop\nruntime: python\n")
    (project / "Pulumi.dev.yaml").write_text("encryptionsalt: v1:AAAAAAAAAAA=:v1:x:y\nconfig: {a: {secure: v1:x:y}}\n")
    Engine(project, "dev", path.parent / "state.json", env={"PULUMI_CONFIG_PASSPHRASE_FILE": str(path)}).preview()


def project_file(path: Path, _: pytest.MonkeyPatch) -> None:
    project = path.parent / "project"
    project.mkdir()
    path.rename(project / "Pulumi.yaml")
    Engine(project, "dev", path.parent / "state.json").preview()


@pytest.mark.parametrize("kind", REFUSED)
@pytest.mark.parametrize("place", [key, bundle, passphrase, project_file])
def test_settings_that_name_no_file(
    place: Callable[[Path, pytest.MonkeyPatch], None], kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A variable or a project with such a path is refused with the reason."""
    with pytest.raises((ConfigError, SettingsError), match=REFUSED[kind]):
        place(given(kind, tmp_path), monkeypatch)


def test_a_folder_of_certificates_is_allowed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The requests are sent with the certificates of the folder."""
    with pytest.raises(FAILURES, match="refused"):
        bundle(given("folder", tmp_path), monkeypatch)


def test_a_passphrase_that_is_no_text_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The error names the variable and the file."""
    (tmp_path / "phrase").write_bytes(b"\xff")
    with pytest.raises(SettingsError, match=r"PULUMI_CONFIG_PASSPHRASE_FILE: .*phrase is not UTF-8 text"):
        passphrase(tmp_path / "phrase", monkeypatch)


@pytest.mark.parametrize("kind", [*REFUSED, "folder"])
@pytest.mark.parametrize(
    "arguments",
    [["sandbox", "--faults"], ["sandbox", "--seed"], ["unmanaged", "--org", "octo-org", "--state"]],
    ids=lambda arguments: arguments[-1],
)
def test_options_that_name_no_file(
    arguments: list[str], kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An option with such a path is a misuse with one line; a stack can have the name of a folder."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("GITHUB_API_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("GITHUB_BILLING_TOKEN", "a-token-of-the-tests")
    assert main([*arguments, str(given(kind, tmp_path))]) == 2
    said = capsys.readouterr().err
    expected = "there is no file" if (kind, arguments[-1]) == ("folder", "--state") else REFUSED.get(kind, "regular")
    assert expected in said
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize(("size", "most"), [(0, 0), (5, 5), (5, 6)])
def test_a_file_up_to_the_bound_is_read(size: int, most: int, tmp_path: Path) -> None:
    """A file of the bound's size is read whole, also through a symbolic link; a missing one is an error."""
    (tmp_path / "file").write_bytes(b"x" * size)
    (tmp_path / "link").symlink_to(tmp_path / "file")
    assert files.read_given(tmp_path / "link", most) == b"x" * size
    with pytest.raises(files.FileError, match="No such file"):
        files.read_given(tmp_path / "missing")
