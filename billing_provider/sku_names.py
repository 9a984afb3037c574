"""Display names of SKUs and products, as usage reports write them, against the identifiers that budgets take."""

from __future__ import annotations

from billing_provider import rules
from billing_provider.errors import ConfigError

_OTHER_NAMES = {
    "copilot ai credit": "copilot_ai_credits",
    "copilot business": "copilot_for_business",
    "github advanced security licenses": "ghas_licenses",
    "github code security licenses": "ghas_code_security_licenses",
    "github enterprise licenses": "ghec_licenses",
    "github secret protection licenses": "ghas_secret_protection_licenses",
}
"""Names whose words are not those of the identifier."""


def sku_identifier(name: str) -> str | None:
    """Return the identifier of a SKU under its display name or any spelling of the identifier.

    A name counts only if its words are those of a SKU in GitHub's reference, or if it is in a short table of others;
    any other name is unknown, and None says so.
    """
    plain = " ".join(_read(name).lower().split())
    words = rules.canonical_sku(_OTHER_NAMES.get(plain) or plain.replace(" ", "_").replace("-", "_"))
    return words if words in rules.SKUS else None


def product_identifier(name: str) -> str | None:
    """Return the identifier of a product under its display name, or None where budgets have no such product."""
    word = _read(name).strip().lower()
    return word if word in rules.PRODUCTS else None


def _read(name: str) -> str:
    # GitHub's own names are read too, so that any text is allowed.
    if not isinstance(name, str):
        raise ConfigError("name: write a text: the name of a product or of a SKU")
    return name
