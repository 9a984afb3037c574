"""Settings of a project and of a stack, secrets included."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from billing_provider.engine import config
from billing_provider.engine.errors import SettingsError
from billing_provider.engine.wire import Secret

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
  shop:word: {type: string, secret: true}
"""
STACK = """
config:
  shop:plain: text
  flag: true
  shop:tree: {a: [1, 2]}
  shop:word: {secure: v1:x:y}
  shop:deep: {a: [{secure: v1:x:y}]}
"""
# What `pulumi preview` of Pulumi 3.260.0 hands to a program for each value.
AS_THE_CLI = {
    "[1, x, 1.50, 2.0, no, null]": '[1,"x",1.5,2,"no",null]',
    "5": "5",
    "true": "true",
    "{z: 1, y: [a]}": '{"y":["a"],"z":1}',
    "{1: a}": '{"1":"a"}',
    "1.50": "1.5",
    "1.0": "1",
    "1e3": "1000",
    "1e21": "1e+21",
    "0x10": "16",
    "1_000": "1000",
    "off": "off",
    "yes": "yes",
    "[]": "[]",
    "{secure: 5}": '{"secure":5}',
    "~": "",
    "": "",
}
# Written by Pulumi 3.260.0: `pulumi config set --secret`, some of it with `--path`.
ENCRYPTED = Path(__file__).parent / "encrypted"
PASSPHRASE = "correct horse"  # of that folder only
SECRETS = {"PULUMI_TRY_SECRET_SHOP_WORD": "hush", "PULUMI_TRY_SECRET_SHOP_DEEP": '{"a": ["hush"]}'}


def write(folder: Path, project: str = PROJECT, stack: str = STACK) -> None:
    """Write the settings of a project and of its stack `dev`."""
    (folder / "Pulumi.yaml").write_text(project)
    (folder / "stacks").mkdir(exist_ok=True)
    (folder / "stacks" / "Pulumi.dev.yaml").write_text(stack)


def test_settings_are_read(tmp_path: Path) -> None:
    """The stack's values override the project's, keys get their namespace, and structures are JSON."""
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


@pytest.mark.parametrize("written", AS_THE_CLI)
def test_values_are_those_of_the_command_line(tmp_path: Path, written: str) -> None:
    """A program gets each value as from the Pulumi CLI: `off` is a word, a whole number has no fraction."""
    write(tmp_path, "name: shop\nruntime: python\nstackConfigDir: stacks\n", f"config:\n  shop:a: {written}\n")
    assert config.load(tmp_path, "dev", {}, {}).config == {"shop:a": AS_THE_CLI[written]}


@pytest.mark.parametrize(("key", "full"), [("a", "shop:a"), ("a b", "shop:a b"), ("x:config:a", "x:a")])
def test_keys_are_those_of_the_command_line(tmp_path: Path, key: str, full: str) -> None:
    """A key without a namespace is one of the project; the old form NAMESPACE:config:NAME is the same setting."""
    write(tmp_path, "name: shop\nruntime: python\nstackConfigDir: stacks\n", f"config: {{{key!r}: x}}")
    assert config.load(tmp_path, "dev", {}, {}).config == {full: "x"}


def test_another_stack_has_the_projects_settings(tmp_path: Path) -> None:
    """A stack without a file has the values of the project."""
    write(tmp_path, PROJECT.replace("  shop:word: {type: string, secret: true}\n", ""))
    assert set(config.load(tmp_path, "other", {}, {}).config) == {"shop:plain", "shop:declared", "other:key"}


def test_the_projects_interpreter_is_used_if_it_exists(tmp_path: Path) -> None:
    """The project's virtual environment is used if it exists, else the interpreter that runs the engine."""
    write(tmp_path)
    assert config.load(tmp_path, "dev", SECRETS, {}).python == sys.executable
    (tmp_path / "env" / "bin").mkdir(parents=True)
    (tmp_path / "env" / "bin" / "python").touch()
    assert config.load(tmp_path, "dev", SECRETS, {}).python == str(tmp_path / "env" / "bin" / "python")


@pytest.mark.parametrize(
    ("project", "stack", "said"),
    [
        (None, "", "no Pulumi.yaml in"),
        ("name: x\nruntime: nodejs\n", "", "runtime.name: Input should be 'python'"),
        ("a: [", "", "Pulumi.yaml"),
        ("- a\n", "", "Pulumi.yaml: its content: Input should be a valid dictionary"),
        ("runtime: python\n", "", "Pulumi.yaml: name: Field required"),
        ("name: a/b\nruntime: python\n", "", "name: String should match pattern"),
        ("name: 5\nruntime: python\n", "", "name: Input should be a valid string"),
        ("name: x\nruntime: [python]\n", "", "runtime: Input should be a valid dictionary"),
        ("name: x\nruntime: {name: python, options: 5}\n", "", "runtime.options: Input should be a valid dictionary"),
        (
            "name: x\nruntime: {name: python, options: {virtualenv: 5}}\n",
            "",
            "runtime.options.virtualenv: Input should be a valid string",
        ),
        ("name: x\nruntime: python\nmain: [a]\n", "", "main: Input should be a valid string"),
        ("name: x\nruntime: python\nstackConfigDir: {}\n", "", "stackConfigDir: Input should be a valid string"),
        ("name: x\nruntime: python\nconfig: [a]\n", "", "config: Input should be a valid dictionary"),
        ("[" * 5000, "", "nested more than 100 levels deep"),
        ('name: "\\ud800"', "", "surrogates not allowed"),
        ("a: 2024-99-99", "", "a date or a number in it does not exist"),
        ("a: &x [*x]", "", "nested more than 100 levels deep"),
        (PROJECT, "config: [a]", "Pulumi.dev.yaml: config: Input should be a valid dictionary"),
        (PROJECT, "encryptionsalt: 5", "encryptionsalt: Input should be a valid string"),
        (
            PROJECT,
            "config: {a: 2024-01-01, b: {c: 2024-01-01}}",
            "the value of shop:a cannot be written as JSON .*: put it in quotes",
        ),
        (PROJECT, "config: {a: {1: x, b: y}}", "the value of shop:a cannot be written as JSON"),
        (PROJECT, "config: {a: .inf}", "the value of shop:a cannot be written as JSON .*: put it in quotes"),
        (PROJECT, "- a", "Pulumi.dev.yaml: its content: Input should be a valid dictionary"),
        (PROJECT, "just text", "Pulumi.dev.yaml: its content: Input should be a valid dictionary"),
        (PROJECT, "config: {5: x}", "Pulumi.dev.yaml: 5 is not a key of a setting: write NAMESPACE:NAME"),
        (PROJECT, "config: {a:b:c: x}", "Pulumi.dev.yaml: 'a:b:c' is not a key of a setting: write NAMESPACE:NAME"),
        (PROJECT + "  a:b:c: 1\n", "", "Pulumi.yaml: 'a:b:c' is not a key of a setting"),
        (PROJECT, "", "shop:word has no value in the stack dev: write one to .*Pulumi.dev.yaml"),
        (PROJECT, STACK, "shop:word is encrypted: the file has no .*; or set PULUMI_TRY_SECRET_SHOP_WORD to its value"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_invalid_settings_are_refused(tmp_path: Path, project: str | None, stack: str, said: str) -> None:
    """Invalid settings are reported with the file and what to do."""
    if project is not None:
        write(tmp_path, project, stack)
    with pytest.raises(SettingsError, match=said):
        config.load(tmp_path, "dev", {}, {})


def test_overridden_secret_is_not_decrypted(tmp_path: Path) -> None:
    """An encrypted value that this run overrides is not decrypted, and a declared one needs no value in a file."""
    write(tmp_path, stack="config: {shop:word: {secure: v1:x:y}}")
    assert config.load(tmp_path, "dev", {}, {"shop:word": "mine"}).plain_config()["shop:word"] == "mine"
    write(tmp_path, stack="")
    assert config.load(tmp_path, "dev", {}, {"shop:word": "mine"}).plain_config()["shop:word"] == "mine"


def encrypted(folder: Path, line: str = "", instead: str = "") -> Path:
    """Copy the project with settings encrypted by the Pulumi CLI, and replace a text in the stack's file."""
    shutil.copytree(ENCRYPTED, folder / "shop")
    file = folder / "shop" / "Pulumi.prod.yaml"
    assert line in file.read_text()
    file.write_text(file.read_text().replace(line, instead))
    return folder / "shop"


def test_passphrase_decrypts_settings_of_the_command_line() -> None:
    """With the stack's passphrase, a program gets the same values and secret marks as with the Pulumi CLI."""
    project = config.load(ENCRYPTED, "prod", {"PULUMI_CONFIG_PASSPHRASE": PASSPHRASE}, {})
    assert project.plain_config() == {
        "other:empty": "",
        "shop:city": "Zürich",
        "shop:keys": '["k0","open"]',
        "shop:number": "42",
        "shop:plain": '{"list":["a"]}',
        "shop:team": '{"flag":true,"key":"wörd \\"x\\"","size":3}',
        "shop:word": "open sesame",
    }
    assert sorted(project.secret_keys()) == ["other:empty", "shop:keys", "shop:number", "shop:team", "shop:word"]


def test_passphrase_in_a_file(tmp_path: Path) -> None:
    """The passphrase can be in a file; a value in the environment needs none and takes precedence."""
    (tmp_path / "phrase").write_text(f"{PASSPHRASE}\n")
    env = {"PULUMI_CONFIG_PASSPHRASE_FILE": str(tmp_path / "phrase"), "PULUMI_TRY_SECRET_SHOP_WORD": "mine"}
    found = config.load(ENCRYPTED, "prod", env, {}).plain_config()
    assert (found["shop:word"], found["shop:number"]) == ("mine", "42")


@pytest.mark.parametrize(
    ("line", "instead", "env", "said"),
    [
        ("", "", {}, "set PULUMI_CONFIG_PASSPHRASE .or PULUMI_CONFIG_PASSPHRASE_FILE. to the stack's passphrase"),
        ("", "", {"PULUMI_CONFIG_PASSPHRASE": "another"}, "passphrase is wrong for this stack"),
        ("", "", {"PULUMI_CONFIG_PASSPHRASE": ""}, "passphrase is wrong for this stack"),
        (
            "",
            "",
            {"PULUMI_CONFIG_PASSPHRASE_FILE": "/nowhere"},
            "_FILE: /nowhere cannot be read: No such",
        ),
        ("salt: v1:", "salt: v2:", {"PULUMI_CONFIG_PASSPHRASE": PASSPHRASE}, "not that of a passphrase"),
        ("salt: v1:p", "salt: v1:", {"PULUMI_CONFIG_PASSPHRASE": PASSPHRASE}, "encryptionsalt is damaged"),
        ("secure: v1:", "secure: v2:", {"PULUMI_CONFIG_PASSPHRASE": PASSPHRASE}, "of version 'v2' cannot be read"),
        ("YzoMqCanUxQoqdTD:", "", {"PULUMI_CONFIG_PASSPHRASE": PASSPHRASE}, "is damaged"),
    ],
    ids=["none", "another", "empty", "no file", "another lock", "damaged lock", "another version", "damaged"],
)
def test_setting_that_cannot_be_decrypted_is_refused(
    tmp_path: Path, line: str, instead: str, env: dict[str, str], said: str
) -> None:
    """A decryption error names the setting and the variable that can replace its value."""
    with pytest.raises(SettingsError, match=f"shop:word is encrypted: .*{said}.*; or set PULUMI_TRY_SECRET_SHOP_WORD"):
        config.load(encrypted(tmp_path, line, instead), "prod", env, {})


def test_passphrase_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra `secrets`, the message names both ways to provide the value."""
    monkeypatch.setitem(sys.modules, "cryptography", None)
    monkeypatch.setitem(sys.modules, "cryptography.exceptions", None)
    with pytest.raises(SettingsError, match=r"github-billing-provider\[secrets\].*PULUMI_TRY_SECRET_SHOP_WORD"):
        config.load(ENCRYPTED, "prod", {"PULUMI_CONFIG_PASSPHRASE": PASSPHRASE}, {})


def test_unreadable_files_are_refused(tmp_path: Path) -> None:
    """A file that is not UTF-8, or a folder in place of a file, is refused with its name."""
    write(tmp_path)
    (tmp_path / "Pulumi.yaml").write_bytes(b"name: \xff\xfe")
    with pytest.raises(SettingsError, match=r"Pulumi\.yaml cannot be used: "):
        config.load(tmp_path, "dev", {}, {})
    (tmp_path / "Pulumi.yaml").unlink()
    (tmp_path / "Pulumi.yaml").mkdir()
    with pytest.raises(SettingsError, match=r"Pulumi\.yaml cannot be read: it is not a regular file"):
        config.load(tmp_path, "dev", {}, {})


@pytest.mark.parametrize("stack", ["../x", "", "a b", "x" * 101])
def test_invalid_stack_names_are_refused(tmp_path: Path, stack: str) -> None:
    """A stack name that does not match Pulumi's pattern is refused."""
    write(tmp_path)
    with pytest.raises(SettingsError, match="is not a valid stack name: use 1 to 100 of the characters"):
        config.load(tmp_path, stack, SECRETS, {})
