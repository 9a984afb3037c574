"""Settings of a project and of a stack, secrets included."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from billing_provider.sandbox.engine import config
from billing_provider.sandbox.engine.errors import ConfigError
from billing_provider.sandbox.engine.wire import Secret

if TYPE_CHECKING:
    from pathlib import Path

PROJECT = """
name: shop
runtime:
  name: python
  options: {virtualenv: env}
stackConfigDir: stacks
config:
  plain: 1
  declared: {type: integer, default: 2}
  other:key: {value: [1, {a: true}]}
  empty: {type: string}
"""
STACK = """
config:
  shop:plain: text
  flag: true
  shop:tree: {a: [1, 2]}
  shop:word: {secure: v1:x:y}
  shop:deep: {a: [{secure: v1:x:y}]}
"""
SECRETS = {"PULUMI_TRY_SECRET_SHOP_WORD": "hush", "PULUMI_TRY_SECRET_SHOP_DEEP": '{"a": ["hush"]}'}


def write(folder: Path, project: str = PROJECT, stack: str = STACK) -> None:
    """Write the settings of a project and of its stack `dev`."""
    (folder / "Pulumi.yaml").write_text(project)
    (folder / "stacks").mkdir()
    (folder / "stacks" / "Pulumi.dev.yaml").write_text(stack)


def test_settings_are_read(tmp_path: Path) -> None:
    """The stack's values stand above the project's, keys get their namespace, and structures are JSON."""
    write(tmp_path)
    project = config.load(tmp_path, "dev", SECRETS, {"shop:plain": "mine"})
    assert project.config == {
        "shop:plain": "1",
        "shop:declared": "2",
        "other:key": '[1,{"a":true}]',
        "shop:flag": "true",
        "shop:tree": '{"a":[1,2]}',
        "shop:word": Secret("hush"),
        "shop:deep": Secret('{"a": ["hush"]}'),
    }
    assert project.plain_config()["shop:plain"] == "mine"
    assert project.plain_config()["shop:word"] == "hush"
    assert project.secret_keys() == ["shop:word", "shop:deep"]
    assert "shop:word" not in project.recorded_config()


def test_another_stack_has_the_projects_settings(tmp_path: Path) -> None:
    """A stack without a file has what the project declares."""
    write(tmp_path)
    assert set(config.load(tmp_path, "other", {}, {}).config) == {"shop:plain", "shop:declared", "other:key"}


def test_own_interpreter_is_used_where_there_is_one(tmp_path: Path) -> None:
    """The project's virtual environment is used if it exists, else the interpreter that runs the engine."""
    write(tmp_path, stack="")
    assert config.load(tmp_path, "dev", {}, {}).python == sys.executable
    (tmp_path / "env" / "bin").mkdir(parents=True)
    (tmp_path / "env" / "bin" / "python").touch()
    assert config.load(tmp_path, "dev", {}, {}).python == str(tmp_path / "env" / "bin" / "python")


@pytest.mark.parametrize(
    ("project", "stack", "said"),
    [
        (None, "", "no Pulumi.yaml in"),
        ("name: x\nruntime: nodejs\n", "", "the runtime is 'nodejs', this engine runs python"),
        ("a: [", "", "Pulumi.yaml"),
        ("- a\n", "", "a mapping is expected"),
        (PROJECT, STACK, "shop:word is encrypted, and this engine has no key: set PULUMI_TRY_SECRET_SHOP_WORD"),
    ],
    ids=["none", "another runtime", "no YAML", "no mapping", "encrypted"],
)
def test_settings_that_cannot_be_used_are_refused(tmp_path: Path, project: str | None, stack: str, said: str) -> None:
    """What is wrong with the settings is said, with the file and what to do."""
    if project is not None:
        write(tmp_path, project, stack)
    with pytest.raises(ConfigError, match=said):
        config.load(tmp_path, "dev", {}, {})


def test_setting_of_the_run_needs_no_secret(tmp_path: Path) -> None:
    """An encrypted value that this run replaces need not be known."""
    write(tmp_path, stack="config: {shop:word: {secure: v1:x:y}}")
    assert config.load(tmp_path, "dev", {}, {"shop:word": "mine"}).plain_config()["shop:word"] == "mine"
