"""What `make release-check` demands before it builds, and what the workflows of this project call."""

from __future__ import annotations

import re

import pytest

from billing_provider import __version__
from tests.docs.blocks import make_verbs
from tests.docs.generate import ROOT
from tests.release import mistakes

PROJECT = f'\nversion = "{__version__}"\n'
RELEASED = f"## [{__version__}] - 2026-11-21\n\n### Added\n"


@pytest.mark.parametrize(
    ("tag", "changelog", "project", "wrong"),
    [
        pytest.param("", f"## [Unreleased]\n\n### Added\n\n{RELEASED}", PROJECT, [], id="between releases"),
        pytest.param(f"v{__version__}", f"## [Unreleased]\n\n{RELEASED}", PROJECT, [], id="a release"),
        pytest.param(
            f"v{__version__}", f"## [Unreleased]\n\n- a\n{RELEASED}", PROJECT, ["CHANGELOG.md: move"], id="unreleased"
        ),
        pytest.param("v9", RELEASED, PROJECT, ["the tag v9 is not"], id="another tag"),
        pytest.param("", "", "", ["pyproject.toml: write", "CHANGELOG.md: give"], id="nothing"),
    ],
)
def test_a_release_needs_one_version(tag: str, changelog: str, project: str, wrong: list[str]) -> None:
    """The version, its section with a date and the tag agree, and a tag leaves nothing unreleased."""
    found = mistakes(tag, changelog, project)
    assert len(found) == len(wrong)
    assert all(each.startswith(start) for each, start in zip(found, wrong, strict=True))


def test_this_version_has_a_section() -> None:
    """The project's own version and changelog agree."""
    assert mistakes("", (ROOT / "CHANGELOG.md").read_text(), (ROOT / "pyproject.toml").read_text()) == []


def test_workflows_call_verbs_that_exist() -> None:
    """Each `make VERB` of a workflow is in the Makefile, also those of a matrix."""
    for file in (ROOT / ".github" / "workflows").glob("*.yml"):
        text = file.read_text()
        verbs = set(re.findall(r"make ([a-z-]+)", text))
        for listed in re.findall(r"verb: \[(.*)\]", text):
            verbs |= set(listed.split(", "))
        assert verbs <= make_verbs(), file.name
