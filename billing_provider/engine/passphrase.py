"""Decrypt settings that the Pulumi CLI encrypted with a stack's passphrase."""

from __future__ import annotations

import base64
import functools
import hashlib
from typing import TYPE_CHECKING

from billing_provider.engine.errors import SettingsError
from billing_provider.storage import files

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_VARIABLE = "PULUMI_CONFIG_PASSPHRASE"
_FILE_VARIABLE = "PULUMI_CONFIG_PASSPHRASE_FILE"
# The values of the Pulumi CLI.
_ROUNDS = 1_000_000
_MAX_PHRASE = 64 * 1024
_KEY_BYTES = 32
_VERSION = "v1:"


class Passphrase:
    """Decrypts the settings of one stack."""

    def __init__(self, salt_line: str | None, env: Mapping[str, str]) -> None:
        """Check that the passphrase is the one of the stack.

        Args:
            salt_line: The `encryptionsalt` of the stack's file, if any.
            env: Has PULUMI_CONFIG_PASSPHRASE, or the name of a file as PULUMI_CONFIG_PASSPHRASE_FILE.

        Raises:
            SettingsError: The stack is not encrypted with a passphrase, the passphrase is missing or wrong, or the
                extra `secrets` is not installed.
        """
        if salt_line is None:
            raise SettingsError("the file has no encryptionsalt, so it cannot be decrypted with a passphrase")
        phrase = _phrase(env)
        try:
            from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - an optional extra
        except ImportError:
            raise SettingsError(
                "to decrypt it with the passphrase, run: pip install 'github-billing-provider[secrets]'"
            ) from None
        self._refusal = InvalidTag
        version, _, rest = salt_line.partition(":")
        salt, _, proof = rest.partition(":")
        if f"{version}:" != _VERSION or not proof:
            raise SettingsError("its encryptionsalt is not that of a passphrase")
        try:
            self._cipher = _cipher(phrase, base64.b64decode(salt))
        except ValueError:
            raise SettingsError("its encryptionsalt is damaged") from None
        self.decrypt(proof)

    def decrypt(self, text: str) -> str:
        """Return the plain text of a `secure:` value.

        Raises:
            SettingsError: It was encrypted with another passphrase, or is not an encrypted value.
        """
        try:
            version, nonce, sealed = text.split(":")
            if f"{version}:" != _VERSION:
                raise SettingsError(f"an encrypted value of version {version!r} cannot be read")
            return self._cipher.decrypt(base64.b64decode(nonce), base64.b64decode(sealed), None).decode()
        except self._refusal:
            raise SettingsError("the passphrase is wrong for this stack") from None
        except ValueError:
            raise SettingsError("an encrypted value is damaged") from None


def _phrase(env: Mapping[str, str]) -> str:
    """Return the passphrase; an empty one is valid, as with the Pulumi CLI."""
    if _VARIABLE in env:
        return env[_VARIABLE]
    if not env.get(_FILE_VARIABLE):
        raise SettingsError(f"set {_VARIABLE} (or {_FILE_VARIABLE}) to the stack's passphrase")
    try:
        return files.read_given(env[_FILE_VARIABLE], _MAX_PHRASE).decode().strip()
    except UnicodeDecodeError:
        raise SettingsError(f"{_FILE_VARIABLE}: {env[_FILE_VARIABLE]} is not UTF-8 text") from None
    except files.FileError as error:
        raise SettingsError(f"{_FILE_VARIABLE}: {env[_FILE_VARIABLE]} cannot be read: {error}") from None


@functools.lru_cache(maxsize=8)
def _cipher(phrase: str, salt: bytes) -> AESGCM:
    """Return the cipher of a passphrase; cached, because deriving the key is slow."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - as above

    return AESGCM(hashlib.pbkdf2_hmac("sha256", phrase.encode(), salt, _ROUNDS, _KEY_BYTES))
