"""A Pulumi project's settings: Pulumi.yaml, Pulumi.<stack>.yaml and secrets from the environment."""

from __future__ import annotations

import json
import os
import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import yaml

from billing_provider.sandbox.engine.errors import ConfigError
from billing_provider.sandbox.engine.wire import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SECRET_PREFIX = "PULUMI_TRY_SECRET_"  # noqa: S105 - the beginning of a variable's name


@dataclass(frozen=True)
class Project:
    """What Pulumi.yaml and the stack's file say."""

    name: str
    folder: Path
    program: Path
    python: str
    config: dict[str, str | Secret]
    # Settings of this run only: they stand above the stack's own and are recorded nowhere.
    overlay: dict[str, str]

    def plain_config(self) -> dict[str, str]:
        """Return the configuration with secrets in the open, as programs and plugins get it."""
        found = {key: value.value if isinstance(value, Secret) else value for key, value in self.config.items()}
        return found | self.overlay

    def recorded_config(self) -> dict[str, str]:
        """Return what state keeps of the configuration: no secrets, which would stand there in the open."""
        return {key: value for key, value in self.config.items() if isinstance(value, str)}

    def secret_keys(self) -> list[str]:
        """Return the keys whose values are secret."""
        return [key for key, value in self.config.items() if isinstance(value, Secret)]


def load(folder: Path, stack: str, env: Mapping[str, str], settings: Mapping[str, str]) -> Project:
    """Read the settings of one stack of the project in `folder`; `settings` stand above what the files say.

    Raises:
        ConfigError: There is no project, it is not a Python one, or a secret is encrypted and not in the environment.
    """
    document = _read_yaml(folder / "Pulumi.yaml")
    if document is None:
        raise ConfigError(f"no Pulumi.yaml in {folder}: run this in the folder of a Pulumi project")
    runtime = document.get("runtime") or {}
    runtime = {"name": runtime} if isinstance(runtime, str) else runtime
    if runtime.get("name") != "python":
        raise ConfigError(f"{folder / 'Pulumi.yaml'}: the runtime is {runtime.get('name')!r}, this engine runs python")
    name = str(document["name"])
    stack_file = folder / str(document.get("stackConfigDir") or ".") / f"Pulumi.{stack}.yaml"
    return Project(
        name=name,
        folder=folder,
        program=folder / str(document.get("main") or "."),
        python=_python(folder, runtime.get("options") or {}),
        config=_project_values(name, document) | _stack_values(name, stack_file, env, settings),
        overlay=dict(settings),
    )


def _read_yaml(path: Path) -> dict[str, Any] | None:
    if not path.is_file():
        return None
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ConfigError(f"{path}: {error}") from None
    if not isinstance(document, dict | None):
        raise ConfigError(f"{path}: a mapping is expected")
    return document or {}


def _python(folder: Path, options: dict[str, Any]) -> str:
    """Return the project's own interpreter where it has one, else the one that runs this engine."""
    virtualenv = options.get("virtualenv")
    own = folder / str(virtualenv) / "bin" / "python"
    return str(own) if virtualenv and own.exists() else sys.executable


def _project_values(name: str, document: dict[str, Any]) -> dict[str, str | Secret]:
    """Return the values that Pulumi.yaml gives every stack, declared as `value` or `default`."""
    found: dict[str, str | Secret] = {}
    for key, declared in (document.get("config") or {}).items():
        value = declared
        if isinstance(declared, dict):
            value = declared.get("value", declared.get("default"))
        if value is not None:
            found[_full_key(name, str(key))] = _text(value)
    return found


def _stack_values(
    name: str, path: Path, env: Mapping[str, str], settings: Mapping[str, str]
) -> dict[str, str | Secret]:
    values = {_full_key(name, str(key)): value for key, value in ((_read_yaml(path) or {}).get("config") or {}).items()}
    found: dict[str, str | Secret] = {}
    for full, value in values.items():
        if full in settings:
            continue
        if _is_encrypted(value):
            variable = secret_variable(full)
            if variable not in env:
                raise ConfigError(
                    f"{path}: {full} is encrypted, and this engine has no key: set {variable} to its value"
                )
            found[full] = Secret(env[variable])
        else:
            found[full] = _text(value)
    return found


def _is_encrypted(value: Any) -> bool:
    if isinstance(value, dict):
        return "secure" in value or any(_is_encrypted(item) for item in value.values())
    return isinstance(value, list) and any(_is_encrypted(item) for item in value)


def secret_variable(key: str) -> str:
    """Return the environment variable that holds the value of a secret setting, key with namespace."""
    return SECRET_PREFIX + re.sub(r"[^A-Z0-9]", "_", key.upper())


def _full_key(project: str, key: str) -> str:
    return key if ":" in key else f"{project}:{key}"


def _text(value: Any) -> str:
    """Return a value as programs get it: always text, structures as JSON."""
    if isinstance(value, str):
        return value
    return json.dumps(value, separators=(",", ":"))


def environment(project: Project, extra: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of the project's processes."""
    return {**os.environ, **extra, "PULUMI_PROJECT": project.name}
