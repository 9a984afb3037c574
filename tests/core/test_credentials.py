"""Credentials: tokens and GitHub Apps, their sources, their precedence and refused values."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st

from billing_provider.core.credentials import App, Credentials, Token, advice_on, read_credentials
from billing_provider.core.errors import ConfigError, NoTokenError
from billing_provider.core.redact import MASK, clean, redact
from billing_provider.core.settings import read_settings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

TOKEN = "sandbox-owner-token"


def pem(key: RSAPrivateKey | EllipticCurvePrivateKey, password: bytes | None = None) -> str:
    """Return a key as PEM text."""
    seal = serialization.BestAvailableEncryption(password) if password else serialization.NoEncryption()
    return key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, seal).decode()


RSA = rsa.generate_private_key(65537, 2048)
KEY = pem(RSA)
SMALL = rsa.generate_private_key(65537, 1024)  # noqa: S505 - it is refused
IDS = {"GITHUB_APP_ID": "12"}
KEYS = {"GITHUB_APP_PRIVATE_KEY": KEY}
OWN_IDS = {"GITHUB_BILLING_APP_ID": "34"}
OWN_KEYS = {"GITHUB_BILLING_APP_PRIVATE_KEY": KEY}


def read(environ: Mapping[str, str] | None = None, /, **config: Any) -> Credentials:
    return read_credentials({f"github-billing:{name}": value for name, value in config.items()}.get, environ or {})


def parts(credential: Token | App | None) -> tuple[str, ...]:
    if isinstance(credential, App):
        return ("app", credential.app_id, credential.private_key.strip(), credential.source)
    assert credential is not None
    return ("token", credential.value, credential.source)


@pytest.mark.parametrize(
    ("config", "environ", "expected"),
    [
        ({"appId": "1", "appPrivateKey": KEY}, {}, ("1", "github-billing:appPrivateKey")),
        ({"appId": "1", "appPrivateKey": KEY}, {**IDS, "GITHUB_TOKEN": TOKEN}, ("1", "github-billing:appPrivateKey")),
        ({"appId": "Iv23li0"}, {**KEYS, "GITHUB_TOKEN": TOKEN}, ("Iv23li0", "GITHUB_APP_PRIVATE_KEY")),
        ({"appId": "1", "appPrivateKey": "an old key"}, {**IDS, **KEYS}, ("12", "GITHUB_APP_PRIVATE_KEY")),
        ({"appPrivateKey": KEY}, {**IDS, "GITHUB_TOKEN": TOKEN}, ("12", "github-billing:appPrivateKey")),
        ({}, {**IDS, **KEYS}, ("12", "GITHUB_APP_PRIVATE_KEY")),
        ({"token": "", "credentials": ""}, {**IDS, **KEYS, "GITHUB_TOKEN": TOKEN}, ("12", "GITHUB_APP_PRIVATE_KEY")),
        ({"token": "an old token"}, {**OWN_IDS, **OWN_KEYS}, ("34", "GITHUB_BILLING_APP_PRIVATE_KEY")),
        ({"appId": "1", "appPrivateKey": "an old key"}, OWN_KEYS, ("1", "GITHUB_BILLING_APP_PRIVATE_KEY")),
        ({"appPrivateKey": KEY}, {**OWN_IDS, "GITHUB_TOKEN": TOKEN}, ("34", "github-billing:appPrivateKey")),
        ({}, {**OWN_IDS, **OWN_KEYS, **IDS, "GITHUB_APP_PRIVATE_KEY": "x"}, ("34", "GITHUB_BILLING_APP_PRIVATE_KEY")),
        ({}, {**IDS, "GITHUB_APP_PRIVATE_KEY": KEY.replace("\n", "\\n")}, ("12", "GITHUB_APP_PRIVATE_KEY")),
    ],
)
def test_sources_of_an_app(config: dict[str, str], environ: dict[str, str], expected: tuple[str, str]) -> None:
    """An App of this tool's variables precedes all that is configured; one of all tools' a configured App."""
    app_id, source = expected
    assert parts(read(environ, **config).default) == ("app", app_id, KEY.strip(), source)


@pytest.mark.parametrize(
    ("config", "environ", "source"),
    [
        ({"token": TOKEN}, {**IDS, **KEYS}, "github-billing:token"),
        ({"token": "an old token"}, {"GITHUB_BILLING_TOKEN": TOKEN}, "GITHUB_BILLING_TOKEN"),
        ({"appId": "1", "appPrivateKey": "an old key"}, {"GITHUB_BILLING_TOKEN": TOKEN}, "GITHUB_BILLING_TOKEN"),
        ({"token": TOKEN, "appId": "", "appPrivateKey": " "}, {}, "github-billing:token"),
        ({}, {**IDS, **KEYS, "GITHUB_BILLING_TOKEN": TOKEN}, "GITHUB_BILLING_TOKEN"),
        ({}, {**KEYS, "GITHUB_TOKEN": TOKEN}, "GITHUB_TOKEN"),
    ],
)
def test_a_token_before_an_app(config: dict[str, str], environ: dict[str, str], source: str) -> None:
    """The variable of this tool precedes what a stack has recorded, which precedes an App of the environment.

    One variable of an App alone is ignored beside a token.
    """
    assert parts(read(environ, **config).default) == ("token", TOKEN, source)


def test_the_key_is_read_from_a_file(tmp_path: Path) -> None:
    """The variable can name a file, which is not read if a token is used."""
    file = tmp_path / "key.pem"
    file.write_text(f"\n{KEY}\n")
    environ = {**IDS, "GITHUB_APP_PRIVATE_KEY_FILE": str(file)}
    assert parts(read(environ).default) == ("app", "12", KEY.strip(), "GITHUB_APP_PRIVATE_KEY_FILE")
    file.unlink()
    assert read(environ, token=TOKEN).default == Token(TOKEN, "github-billing:token")
    for path, reason in (
        (str(file), "No such file"),
        ("\0", "it is not a valid"),
        (".", "it is not a regular"),
    ):
        with pytest.raises(ConfigError, match=f"GITHUB_APP_PRIVATE_KEY_FILE: .* cannot be read .{reason}.*: correct"):
            read({**IDS, "GITHUB_APP_PRIVATE_KEY_FILE": path})


@pytest.mark.parametrize(
    ("config", "environ", "said"),
    [
        ({"token": TOKEN, "appId": "1"}, {}, "token and github-billing:appId are both set: keep .*`pulumi config rm`"),
        ({"token": TOKEN, "appPrivateKey": KEY}, {}, "github-billing:token and github-billing:appPrivateKey are both"),
        ({}, {**OWN_IDS, "GITHUB_BILLING_TOKEN": TOKEN}, "GITHUB_BILLING_TOKEN and GITHUB_BILLING_APP_ID are both set"),
        ({"token": TOKEN}, OWN_KEYS, "GITHUB_BILLING_APP_PRIVATE_KEY has a key without .* GITHUB_BILLING_APP_ID"),
        ({"token": f'"{TOKEN}"'}, {}, "the token in github-billing:token has quotes around it: set it without"),
        ({}, {"GITHUB_BILLING_TOKEN": f"'{TOKEN}'"}, "the token in GITHUB_BILLING_TOKEN has quotes around it"),
        ({}, {"GITHUB_BILLING_CREDENTIALS": "acme"}, "GITHUB_BILLING_CREDENTIALS is not a mapping .* set it as JSON"),
        ({"appId": "1"}, {"GITHUB_TOKEN": TOKEN}, "github-billing:appId names an App without its key: set"),
        ({}, IDS, "GITHUB_APP_ID names an App without its key: set github-billing:appPrivateKey"),
        (
            {"appPrivateKey": KEY},
            {},
            "github-billing:appPrivateKey has a key without its App: set github-billing:appId",
        ),
        ({}, KEYS, "GITHUB_APP_PRIVATE_KEY has a key without its App"),
        ({"appId": "two words", "appPrivateKey": KEY}, {}, "github-billing:appId is not the id of a GitHub App"),
        (
            {"appId": "1", "appPrivateKey": "secret-key-text"},
            {},
            "the key in github-billing:appPrivateKey is not a PEM",
        ),
        ({"appId": "1", "appPrivateKey": KEY[:200]}, {}, "is not a PEM text"),
        ({"appId": "1", "appPrivateKey": pem(RSA, b"word")}, {}, "of an unencrypted private key"),
        ({"appId": "1", "appPrivateKey": pem(ec.generate_private_key(ec.SECP256R1()))}, {}, "is not an RSA key of at"),
        ({"appId": "1", "appPrivateKey": pem(SMALL)}, {}, "at least 2048 bits"),
        (
            {"token": json.dumps({"acme": TOKEN})},
            {},
            "the token in github-billing:token is a structured value: set one",
        ),
        ({"token": f'["{TOKEN}"]'}, {}, "is a structured value"),
        ({"credentials": "acme"}, {}, "github-billing:credentials is not a mapping from owners to {token} or"),
        ({"credentials": "[" * 100_000}, {}, "is not a mapping"),
        ({"credentials": '["acme"]'}, {}, "set it as `pulumi config set --secret --path"),
        ({"credentials": {"a b": {"token": TOKEN}}}, {}, r"credentials.a b: the owner is not a slug or a login"),
        ({"credentials": {"team/acme": {"token": TOKEN}}}, {}, "the owner is not a slug or a login"),
        ({"credentials": {"acme": {"token": TOKEN}, "ACME": {"token": TOKEN}}}, {}, "ACME: the owner is named twice"),
        (
            {"credentials": {"acme": TOKEN}},
            {},
            "credentials.acme must be {token} or {appId, appPrivateKey}, with texts",
        ),
        ({"credentials": {"acme": {}}}, {}, "credentials.acme must be"),
        ({"credentials": {"acme": {"token": TOKEN, "appId": "1"}}}, {}, "credentials.acme must be"),
        ({"credentials": {"acme": {"token": {"secure": "x"}}}}, {}, "credentials.acme must be"),
        ({"credentials": {"acme": {"token": "short"}}}, {}, "the token in .*credentials.acme.token has fewer than 8"),
        ({"credentials": {"acme": {"appId": "1", "appPrivateKey": "x"}}}, {}, "the key in .*acme.appPrivateKey is not"),
    ],
)
def test_mistakes_are_explained(config: dict[str, Any], environ: dict[str, str], said: str) -> None:
    """Each mistake names its source and what to do; no message shows a secret."""
    with pytest.raises(ConfigError, match=said) as caught:
        read(environ, **config)
    text = str(caught.value)
    assert text.endswith("Nothing was sent.")
    assert [secret for secret in (TOKEN, "secret-key-text", *KEY.splitlines()[1:-1]) if secret in text] == []


def test_all_mistakes_are_in_one_error() -> None:
    """Mistakes of the default credential and of owners are one error."""
    with pytest.raises(ConfigError, match=r"appId is not .*\. .*credentials.acme must .*\. .*fewer than 8"):
        read(appId="?", appPrivateKey=KEY, credentials={"acme": 5, "shop": {"token": "short"}})


def test_no_credential_is_explained() -> None:
    """Without a credential, the error names tokens and Apps; with one for an owner, there need be no default."""
    with pytest.raises(NoTokenError, match=r"^no token: set GITHUB_BILLING_TOKEN.* GITHUB_BILLING_APP_ID and"):
        read()
    with pytest.raises(NoTokenError, match=r"^no token: GITHUB_BILLING_TOKEN is empty; set GITHUB_BILLING_TOKEN"):
        read({"GITHUB_BILLING_TOKEN": " "})
    assert read(credentials={"acme": {"token": TOKEN}}).default is None


@pytest.mark.parametrize("name", ["jwt", "cryptography"])
def test_a_missing_extra_is_explained(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the packages of the extra, an App is refused with the command that installs them, said once."""
    monkeypatch.setitem(sys.modules, name, None)
    app = {"appId": 1, "appPrivateKey": KEY}
    with pytest.raises(ConfigError, match=r"^a GitHub App needs the extra `app`: pip install '[a-z-]+\[app\]'. Noth"):
        read({**IDS, **KEYS}, credentials={"acme": app})
    assert read(token=TOKEN).default == Token(TOKEN, "github-billing:token")


def test_credentials_of_owners() -> None:
    """An owner has the credential of its kind and name, else of its name, else the default; case is ignored."""
    given = {
        "Acme": {"token": "token-of-acme"},
        "organization/acme": {"appId": 7, "appPrivateKey": KEY},
        "user/alice": {"token": "token-of-alice"},
    }
    config = {"github-billing:credentials": json.dumps(given), "github-billing:token": TOKEN}
    settings = read_settings(config.get, {})
    owners = [("enterprise", "ACME"), ("organization", "aCme"), ("user", "Alice"), ("organization", "alice"), ("", "")]
    assert [parts(settings.credentials.of(*owner))[:2] for owner in owners] == [
        ("token", "token-of-acme"),
        ("app", "7"),
        ("token", "token-of-alice"),
        ("token", TOKEN),
        ("token", TOKEN),
    ]
    assert sorted(settings.credentials.tokens) == sorted([TOKEN, "token-of-acme", "token-of-alice"])
    del config["github-billing:token"]
    assert read_settings(config.get, {}).credentials.of("organization", "shop") is None


def test_a_variable_has_the_credentials_of_owners() -> None:
    """GITHUB_BILLING_CREDENTIALS takes the place of the configured mapping, which can be an old one."""
    environ = {"GITHUB_BILLING_CREDENTIALS": json.dumps({"acme": {"token": "token-of-acme"}})}
    found = read(environ, token=TOKEN, credentials={"acme": {"token": "an old token"}, "shop": {"token": "another"}})
    assert found.by_owner == {"acme": Token("token-of-acme", "GITHUB_BILLING_CREDENTIALS.acme.token")}
    assert found.of("organization", "shop") == Token(TOKEN, "github-billing:token")


@pytest.mark.parametrize(
    "config",
    [{"token": "a-sample"}, {"appId": "1", "appPrivateKey": KEY}],
    ids=["token", "app"],
)
def test_a_sandbox_gets_the_configured_credential_alone(config: dict[str, Any]) -> None:
    """On this machine no variable precedes or adds to a configured credential: it may hold a real credential."""
    environ = {
        "GITHUB_BILLING_TOKEN": "a-real-one",
        "GITHUB_TOKEN": "a-real-one",
        "GITHUB_BILLING_CREDENTIALS": '{"acme": {"token": "a-real-one"}, "shop": {"token": "a-real-one"}}',
    }
    get = {f"github-billing:{name}": value for name, value in config.items()}.get
    assert read_credentials(get, environ, is_sandbox=True) == read(**config)
    owners = {"github-billing:credentials": {"acme": {"token": "a-sample"}}}
    assert read_credentials(owners.get, environ, is_sandbox=True).tokens == ("a-sample",)


@pytest.mark.parametrize(
    ("source", "variable"),
    [
        ("github-billing:token", "GITHUB_BILLING_TOKEN"),
        ("github-billing:appPrivateKey", "GITHUB_BILLING_APP_PRIVATE_KEY"),
        ("github-billing:credentials.acme.token", "GITHUB_BILLING_CREDENTIALS"),
    ],
)
def test_the_advice_on_a_recorded_credential(source: str, variable: str) -> None:
    """The advice names the variable that precedes the source; none precedes it for a sandbox."""
    assert f"set {variable}, which precedes it, or add --run-program." in advice_on(source, is_sandbox=False)
    assert advice_on(source, is_sandbox=True).endswith("to use the current one, add --run-program.")
    assert advice_on(variable, is_sandbox=False) == ""


def test_secrets_are_not_in_the_repr() -> None:
    """The repr of settings and credentials contains neither tokens nor lines of the key."""
    config = {"github-billing:appId": "1", "github-billing:appPrivateKey": KEY}
    config["github-billing:credentials"] = json.dumps({"acme": {"token": TOKEN}})
    settings = read_settings(config.get, {})
    assert isinstance(settings.credentials.default, App)
    shown = f"{settings!r} {settings.credentials!r}"
    assert [line for line in (TOKEN, *KEY.splitlines()[1:-1]) if line in shown] == []


@given(start=st.integers(0, len(KEY) - 200), around=st.text(max_size=20))
def test_lines_of_a_key_are_masked(start: int, around: str) -> None:
    """A displayed text contains no complete line of a key, however it was cut and joined."""
    App("1", KEY)
    for text in (KEY[start:], " ".join(KEY[start:].split()), KEY.replace("\n", ""), json.dumps(KEY)):
        shown = clean(f"{around} {text} {around}")
        assert [line for line in KEY.splitlines()[1:-1] if line in shown] == []
        assert MASK in shown


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY----- MIIEow",
        "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiIxIn0.c2lnbmF0dXJl-x_y",
        "ghs_0123456789_eyJhbGciOiJS.eyJpc3MiOi-x.c2lnbmF0",
    ],
)
def test_keys_and_web_tokens_of_anybody_are_masked(text: str) -> None:
    """A private key, a JSON web token and a token with dots are masked completely, also if they are not ours."""
    assert redact(f"a {text}") == f"a {MASK}"
