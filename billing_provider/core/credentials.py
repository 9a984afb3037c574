"""Credentials: tokens and GitHub Apps, for all owners or for single ones; all mistakes are in one error."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NamedTuple

from billing_provider.core.errors import ConfigError, NoTokenError
from billing_provider.core.redact import MIN_TOKEN, remember
from billing_provider.storage import files, json_text

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

TEXTS = {
    "token": "The token, never shown; a GitHub App can take its place",
    "appId": "Id or client id of the GitHub App, instead of a token",
    "appPrivateKey": "RSA key of the GitHub App as PEM text, never shown",
    "credentials": "Mapping from owners to a token or App of their own",
}
"""The settings of credentials, with their meaning."""
TOKEN, APP_ID, APP_KEY, BY_OWNER = (f"github-billing:{name}" for name in TEXTS)


class _Names(NamedTuple):
    """Where a token or an App can be: keys of the configuration, which have a colon, or variables."""

    token: str
    app_id: str
    keys: tuple[str, ...]


def _variables(prefix: str) -> _Names:
    key = f"{prefix}_APP_PRIVATE_KEY"
    return _Names(f"{prefix}_TOKEN", f"{prefix}_APP_ID", (key, f"{key}_FILE"))


_OWN, _CONFIGURED, _SHARED = _variables("GITHUB_BILLING"), _Names(TOKEN, APP_ID, (APP_KEY,)), _variables("GITHUB")
_LEVELS = (_OWN, _CONFIGURED, _SHARED)
"""The variables that name this tool precede what a stack has recorded; those of all tools come last."""
_OWN_BY_OWNER = "GITHUB_BILLING_CREDENTIALS"
_MAX_KEY = 64 * 1024
_MIN_KEY_BITS = 2048
_APP_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{,99}")
_OWNER = re.compile(r"(?:(?:enterprise|organization|user)/)?[A-Za-z0-9][A-Za-z0-9_.-]{,99}")
_QUOTES = "\"'`"
_FORMS = "{token} or {appId, appPrivateKey}"


@dataclass(frozen=True)
class Token:
    """A token that is sent as it is.

    Attributes:
        value: The token, never shown.
        source: Where it was found, for messages.
    """

    value: str = field(repr=False)
    source: str = "the caller"

    def __post_init__(self) -> None:
        remember(self.value)


@dataclass(frozen=True)
class App:
    """A GitHub App, which gets a token for each of its installations.

    Attributes:
        app_id: Its id or client id.
        private_key: Its RSA key as PEM text, never shown.
        source: Where the key was found, for messages.
    """

    app_id: str
    private_key: str = field(repr=False)
    source: str = "the caller"

    def __post_init__(self) -> None:
        # A displayed text has no line breaks, so each line is masked for itself.
        for line in self.private_key.splitlines():
            if not line.startswith("-----"):
                remember(line.strip())


Credential = Token | App


@dataclass(frozen=True)
class Credentials:
    """The credentials of a run.

    Attributes:
        default: The credential of every owner that has none of its own, or None.
        by_owner: The credentials of single owners, by name or by `kind/name`, in lower case.
    """

    default: Credential | None = None
    by_owner: Mapping[str, Credential] = field(default_factory=dict)

    def of(self, kind: str, name: str) -> Credential | None:
        """Return the credential of an owner: of its kind and name, of its name, or the default."""
        return self.by_owner.get(f"{kind}/{name.lower()}") or self.by_owner.get(name.lower()) or self.default

    @property
    def tokens(self) -> tuple[str, ...]:
        """All tokens, to mask them in responses."""
        return tuple(each.value for each in (self.default, *self.by_owner.values()) if isinstance(each, Token))


def read_credentials(
    get: Callable[[str], Any] | None, environ: Mapping[str, str], *, is_sandbox: bool = False
) -> Credentials:
    """Read and check the credentials.

    The variables that name this tool precede the configuration, which precedes the variables of all tools; but a
    complete App of the latter precedes a configured App. For a sandbox, a configured token, App or mapping precedes
    all variables, so that it gets no real one beside it.

    Args:
        get: Returns a value of the stack's configuration by its full key, or None; absent outside a stack.
        environ: The current environment variables.
        is_sandbox: Whether the address is on this machine.

    Raises:
        ConfigError: Values are invalid or ambiguous; the message has all mistakes and no secret.
        NoTokenError: There is no credential.
    """
    reader = _Reader(get, environ, is_sandbox=is_sandbox)
    default, by_owner = reader.default(), reader.by_owner()
    if reader.problems:
        raise ConfigError(f"{'. '.join(dict.fromkeys(reader.problems))}. Nothing was sent.")
    if default is None and not by_owner:
        empty = [name for name in (_OWN.token, _SHARED.token) if name in environ]
        no_token = (
            f"no token: {' and '.join(empty)} {'are' if len(empty) > 1 else 'is'} empty;" if empty else "no token:"
        )
        in_stack = f", or run `pulumi config set --secret {TOKEN}` and paste it" if get else ""
        raise NoTokenError(
            f"{no_token} set {_OWN.token} (or {_SHARED.token}){in_stack}; "
            f"for a GitHub App set {_OWN.app_id} and {_OWN.keys[1]}"
        )
    return Credentials(default, by_owner)


def advice_on(source: str, *, is_sandbox: bool) -> str:
    """Return what to do about a refused credential: a stack can have recorded an old one; else an empty string."""
    if ":" not in source:
        return ""
    for_all = _OWN.keys[0] if source == APP_KEY else _OWN.token
    variable = _OWN_BY_OWNER if source.startswith(BY_OWNER) else for_all
    return (
        " Plain `pulumi refresh` and `pulumi destroy` use the configuration recorded by the last `up`: to use the "
        f"current one, {'' if is_sandbox else f'set {variable}, which precedes it, or '}add --run-program."
    )


class _Reader:
    """Reads the credentials of one run and collects the mistakes."""

    def __init__(self, get: Callable[[str], Any] | None, environ: Mapping[str, str], *, is_sandbox: bool) -> None:
        self._get, self._environ = get, environ
        self.problems: list[str] = []
        app = is_sandbox and self._value(APP_ID) and self._value(APP_KEY)
        if is_sandbox and (self._value(TOKEN) or app or self._value(BY_OWNER)):
            self._environ = {}

    def default(self) -> Credential | None:
        """Return the credential of every owner that has none of its own, or None."""
        shared_app = self._value(_SHARED.app_id) and any(map(self._value, _SHARED.keys))
        for names in _LEVELS:
            token = self._value(names.token)
            app = next((name for name in (names.app_id, *names.keys) if self._value(name)), None)
            if names is _SHARED:
                # One variable of an App alone is another tool's, if there is a token.
                app, token = (app, "") if shared_app else (None if token else app, token)
            elif names is _CONFIGURED and not token and shared_app:
                continue
            if token and app:
                self.problems.append(
                    f"{names.token} and {app} are both set: keep the token or the App, and remove the other one"
                    + (" with `pulumi config rm`" if names is _CONFIGURED else "")
                )
                return None
            if token:
                return self._token(names.token, token)
            if app:
                return self._named_app(_LEVELS[_LEVELS.index(names) :])
        return None

    def by_owner(self) -> dict[str, Credential]:
        """Return the credentials of single owners."""
        source = _OWN_BY_OWNER if self._value(_OWN_BY_OWNER) else BY_OWNER
        value = self._environ.get(source) or (self._get and self._get(source))
        if value is None or value == "":
            return {}
        if isinstance(value, str):
            # The engine hands structured values over as JSON.
            with suppress(ValueError):
                value = json_text.load(value)
        if not isinstance(value, dict):
            self.problems.append(
                f"{source} is not a mapping from owners to {_FORMS}: set it as "
                + (f"`pulumi config set --secret --path '{BY_OWNER}.OWNER.token'`" if source == BY_OWNER else "JSON")
            )
            return {}
        found: dict[str, Credential] = {}
        for owner, given in value.items():
            where = f"{source}.{owner[:100]}"
            if not _OWNER.fullmatch(owner):
                self.problems.append(f"{where}: the owner is not a slug or a login")
            elif owner.lower() in found:
                self.problems.append(f"{where}: the owner is named twice")
            elif (credential := self._of_owner(where, given)) is not None:
                found[owner.lower()] = credential
        return found

    def _of_owner(self, where: str, given: Any) -> Credential | None:
        parts = {name: str(value).strip() for name, value in given.items()} if isinstance(given, dict) else {}
        plain = isinstance(given, dict) and all(isinstance(value, str | int) for value in given.values())
        if plain and set(parts) == {"token"}:
            return self._token(f"{where}.token", parts["token"])
        if plain and set(parts) == {"appId", "appPrivateKey"}:
            return self._app(f"{where}.appId", parts["appId"], f"{where}.appPrivateKey", parts["appPrivateKey"])
        self.problems.append(f"{where} must be {_FORMS}, with texts as values")
        return None

    def _value(self, name: str) -> str:
        if ":" not in name:
            return self._environ.get(name, "").strip()
        value = self._get(name) if self._get else None
        return "" if value is None else str(value).strip()

    def _token(self, source: str, token: str) -> Token | None:
        problem = ""
        if token.startswith(("{", "[")):
            problem = f"is a structured value: set one text, or {BY_OWNER} for a token of each owner"
        elif len(token) > 1 and token[0] == token[-1] and token[0] in _QUOTES:
            problem = "has quotes around it: set it without them"
        elif not token.isascii() or not token.isprintable() or " " in token:
            problem = "contains invalid characters: copy it again, on one line"
        elif len(token) < MIN_TOKEN:
            problem = f"has fewer than {MIN_TOKEN} characters: copy it again, completely"
        if problem:
            self.problems.append(f"the token in {source} {problem}")
            return None
        return Token(token, source)

    def _named_app(self, levels: tuple[_Names, ...]) -> App | None:
        """Return the App of the first id and the first key; None after a problem."""
        app_id = next((each.app_id for each in levels if self._value(each.app_id)), None)
        key = next((name for each in levels for name in each.keys if self._value(name)), None)
        if app_id and key:
            return self._app(app_id, self._value(app_id), key, self._key_of(key))
        self.problems.append(
            f"{app_id} names an App without its key: set {APP_KEY} (a secret), {' or '.join(_OWN.keys)}"
            if app_id
            else f"{key} has a key without its App: set {APP_ID} or {_OWN.app_id}"
        )
        return None

    def _app(self, id_source: str, app_id: str, key_source: str, key: str | None) -> App | None:
        before = len(self.problems)
        if not all(map(find_spec, ("jwt", "cryptography"))):
            self.problems.append("a GitHub App needs the extra `app`: pip install 'github-billing-provider[app]'")
            return None
        if not _APP_ID.fullmatch(app_id):
            self.problems.append(f"{id_source} is not the id of a GitHub App, such as 123456 or Iv23abcdef")
        if key is not None and (problem := _key_problem(key)):
            self.problems.append(f"the key in {key_source} {problem}")
        if key is None or len(self.problems) > before:
            return None
        return App(app_id, _lines(key), key_source)

    def _key_of(self, name: str) -> str | None:
        """Return the key that a setting or variable contains or names; None after a problem."""
        given = self._value(name)
        if not name.endswith("_FILE"):
            return given
        try:
            return files.read_given(given, _MAX_KEY).decode(errors="replace").strip()
        except files.FileError as error:
            self.problems.append(f"{name}: {given[:200]!a} cannot be read ({error}): correct the path")
            return None


def _lines(key: str) -> str:
    """Return a PEM text with real line breaks; CI systems may store a key in one line, with a backslash and n."""
    return key.replace("\\n", "\n")


def _key_problem(key: str) -> str | None:
    """Return what is wrong with a private key, or None."""
    # Imported only here: a run with a token needs neither the time nor the package.
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import load_pem_private_key  # noqa: PLC0415

    try:
        loaded = load_pem_private_key(_lines(key).encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return "is not a PEM text of an unencrypted private key: download a new key from the App's page"
    if not isinstance(loaded, RSAPrivateKey) or loaded.key_size < _MIN_KEY_BITS:
        return f"is not an RSA key of at least {_MIN_KEY_BITS} bits: download a new key from the App's page"
    return None
