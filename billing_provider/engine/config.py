"""A Pulumi project's settings: Pulumi.yaml, Pulumi.<stack>.yaml and secrets from the environment."""

from __future__ import annotations

import json
import os
import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import yaml
from pydantic import BeforeValidator, Field, ValidationError

from billing_provider.engine.errors import SettingsError
from billing_provider.engine.passphrase import Passphrase
from billing_provider.engine.wire import Secret, convert_items
from billing_provider.storage import files, json_text
from billing_provider.storage.documents import Document, explain

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SECRET_PREFIX = "PULUMI_TRY_SECRET_"  # noqa: S105 - the beginning of a variable's name
PROJECT_FILE = "Pulumi.yaml"
# Pulumi's rule for names of stacks and projects.
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,100}")

# The Pulumi CLI writes larger numbers with an exponent.
_LEAST_EXPONENT = 1e21
# Pulumi still accepts `NAMESPACE:config:NAME`, the form of old files.
_KEY = re.compile(r"(?:(?P<namespace>[^:]*):(?:config:)?)?(?P<name>[^:]*)")


class _Loader(yaml.SafeLoader):
    """Reads YAML as the Pulumi CLI does: `yes` and `off` are text, `1e3` is the number 1000."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - PyYAML reads it from the class
        first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:bool"]
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }


def _number(loader: _Loader, node: yaml.ScalarNode) -> float:
    """Return a number with a fraction or an exponent; a whole one is an int, which is written without a fraction."""
    value = float(loader.construct_yaml_float(node))
    return int(value) if value.is_integer() and abs(value) < _LEAST_EXPONENT else value


_Loader.add_constructor("tag:yaml.org,2002:float", _number)
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile("(true|True|TRUE|false|False|FALSE)$"), list("tTfF"))
_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)[eE][-+]?[0-9]+$"), list("-+.0123456789")
)


class _Options(Document):
    virtualenv: str = ""


class _Runtime(Document):
    name: Literal["python"]
    options: _Options = Field(default_factory=_Options)


class StackFile(Document):
    """The content of Pulumi.<stack>.yaml."""

    config: dict[Any, Any] = Field(default_factory=dict)
    encryptionsalt: str | None = None


class ProjectFile(StackFile):
    """The content of Pulumi.yaml."""

    name: str = Field(pattern=f"^{_NAME.pattern}$")
    runtime: Annotated[_Runtime, BeforeValidator(lambda given: {"name": given} if isinstance(given, str) else given)]
    main: str = "."
    stack_folder: str = Field(".", alias="stackConfigDir")


_File = TypeVar("_File", bound=StackFile)


@dataclass(frozen=True)
class Project:
    """The settings of Pulumi.yaml and of the stack's file."""

    name: str
    folder: Path
    program: Path
    python: str
    config: dict[str, str | Secret]
    # Settings of this run only. They override the stack's settings and are not stored in state.
    overlay: dict[str, str | Secret]

    def plain_config(self) -> dict[str, str]:
        """Return the configuration with secrets decrypted, as programs and plugins receive it."""
        settings = {**self.config, **self.overlay}
        return {key: value.value if isinstance(value, Secret) else value for key, value in settings.items()}

    def recorded_config(self) -> dict[str, str]:
        """Return the configuration that state stores: without secrets, because state is not encrypted."""
        return {key: value for key, value in self.config.items() if isinstance(value, str)}

    def secret_keys(self) -> list[str]:
        """Return the keys whose values are secret."""
        return [key for key, value in {**self.config, **self.overlay}.items() if isinstance(value, Secret)]


def load(folder: Path, stack: str, env: Mapping[str, str], settings: Mapping[str, str | Secret]) -> Project:
    """Read the settings of one stack of the project in `folder`; `settings` override the files.

    Raises:
        SettingsError: There is no Python project, the stack's name or a file is invalid, a declared setting has no
            value, or a secret cannot be decrypted.
    """
    file = read_project(folder, stack)
    stack_file = folder / file.stack_folder / f"Pulumi.{stack}.yaml"
    declared = _project_values(file, folder / PROJECT_FILE)
    values = _stack_values(file.name, stack_file, env, settings)
    for key, value in declared.items():
        if value is None and key not in {**values, **settings}:
            raise SettingsError(
                f"{key} has no value in the stack {stack}: write one to {stack_file}, or a default to {PROJECT_FILE}"
            )
    return Project(
        name=file.name,
        folder=folder,
        program=folder / file.main,
        python=_python(folder, file.runtime.options.virtualenv),
        config={**{key: value for key, value in declared.items() if value is not None}, **values},
        overlay=dict(settings),
    )


def read_project(folder: Path, stack: str) -> ProjectFile:
    """Return the content of Pulumi.yaml; check the stack's name too.

    Raises:
        SettingsError: There is no Python project, or the stack's name or the file is invalid.
    """
    if _NAME.fullmatch(stack) is None:
        raise SettingsError(f"{stack!r} is not a valid stack name: use 1 to 100 of the characters A-Z a-z 0-9 _ . -")
    file = _read(folder / PROJECT_FILE, ProjectFile)
    if file is None:
        raise SettingsError(f"no {PROJECT_FILE} in {folder}: run this in the folder of a Pulumi project")
    return file


def _load(path: Path) -> Any:
    try:
        return yaml.load(files.read_given(path), _Loader)  # noqa: S506 - a subclass of the safe loader
    except RecursionError:
        raise json_text.too_deep() from None
    except yaml.YAMLError:
        raise
    except ValueError:
        # Python's own text differs between its versions.
        raise ValueError("a date or a number in it does not exist: put the value in quotes") from None


def _read(path: Path, form: type[_File]) -> _File | None:
    """Return the content of a YAML file, or None if the file does not exist."""
    if not path.exists():
        return None
    try:
        document = _load(path)
        # Refuse circular references, deep nesting and text that cannot be encoded.
        json_text.storable(document)
        return form.model_validate({} if document is None else document)
    except files.FileError as error:
        raise SettingsError(f"{path} cannot be read: {error}") from None
    except ValidationError as error:
        raise SettingsError(f"{path}: {explain(error)}") from None
    except (yaml.YAMLError, ValueError) as error:
        raise SettingsError(f"{path} cannot be used: {' '.join(str(error).split())}") from None


def _python(folder: Path, virtualenv: str) -> str:
    """Return the interpreter of the project's virtual environment, else the one that runs this engine."""
    own = folder / virtualenv / "bin" / "python"
    return str(own) if virtualenv and own.exists() else sys.executable


def _project_values(file: ProjectFile, path: Path) -> dict[str, str | None]:
    """Return the values that Pulumi.yaml gives every stack, declared as `value` or `default`; None if it gives none."""
    found: dict[str, str | None] = {}
    for key, declared in file.config.items():
        value = declared.get("value", declared.get("default")) if isinstance(declared, dict) else declared
        full = _full_key(file.name, path, key)
        found[full] = None if value is None else _text(path, full, value)
    return found


def _stack_values(
    name: str, path: Path, env: Mapping[str, str], settings: Mapping[str, str | Secret]
) -> dict[str, str | Secret]:
    file = _read(path, StackFile) or StackFile()
    values = {_full_key(name, path, key): value for key, value in file.config.items()}
    found: dict[str, str | Secret] = {}
    for full, value in values.items():
        if full in settings:
            continue
        variable = secret_variable(full)
        if not _is_encrypted(value):
            found[full] = _text(path, full, value)
        elif variable in env:
            # The environment takes precedence: it needs no passphrase and can replace a real secret.
            found[full] = Secret(env[variable])
        else:
            try:
                found[full] = Secret(_text(path, full, _opened(value, Passphrase(file.encryptionsalt, env))))
            except SettingsError as error:
                raise SettingsError(f"{path}: {full} is encrypted: {error}; or set {variable} to its value") from None
    return found


def _is_encrypted(value: Any) -> bool:
    if isinstance(value, dict):
        return _is_sealed(value) or any(map(_is_encrypted, value.values()))
    return isinstance(value, list) and any(map(_is_encrypted, value))


def _is_sealed(value: Any) -> bool:
    return isinstance(value, dict) and set(value) == {"secure"} and isinstance(value["secure"], str)


def _opened(value: Any, key: Passphrase) -> Any:
    """Return a value with its encrypted parts decrypted."""
    return key.decrypt(value["secure"]) if _is_sealed(value) else convert_items(value, lambda item: _opened(item, key))


def secret_variable(key: str) -> str:
    """Return the environment variable of a secret setting; the key has a namespace."""
    return SECRET_PREFIX + re.sub(r"[^A-Z0-9]", "_", key.upper())


def _full_key(project: str, path: Path, key: object) -> str:
    """Return a key with its namespace, by default that of the project.

    Raises:
        SettingsError: It is not the key of a setting.
    """
    found = _KEY.fullmatch(key) if isinstance(key, str) else None
    if found is None:
        raise SettingsError(f"{path}: {key!r} is not a key of a setting: write NAMESPACE:NAME")
    return f"{project if found['namespace'] is None else found['namespace']}:{found['name']}"


def _text(path: Path, key: str, value: Any) -> str:
    """Return a value as programs receive it: text, or compact JSON as the Pulumi CLI writes it; nothing is empty text.

    Raises:
        SettingsError: It contains a value that JSON does not support, such as a date.
    """
    if value is None or isinstance(value, str):
        return value or ""
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise SettingsError(
            f"{path}: the value of {key} cannot be written as JSON ({error}): put it in quotes"
        ) from None


def environment(project: Project, extra: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of the project's processes."""
    return {**os.environ, **extra, "PULUMI_PROJECT": project.name}
