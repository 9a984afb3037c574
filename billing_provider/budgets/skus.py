"""GitHub's products and SKUs: identifiers, pricing types, and the display names in usage reports."""

from __future__ import annotations

from typing import Literal, NamedTuple, get_args

from billing_provider.core.errors import ConfigError

_OTHER_NAMES = {
    "copilot ai credit": "copilot_ai_credits",
    "copilot business": "copilot_for_business",
    "github advanced security licenses": "ghas_licenses",
    "github code security licenses": "ghas_code_security_licenses",
    "github enterprise licenses": "ghec_licenses",
    "github secret protection licenses": "ghas_secret_protection_licenses",
}
"""Display names whose words differ from the identifier."""


def sku_identifier(name: str) -> str | None:
    """Return the identifier of a SKU by its display name or any spelling of the identifier, or None.

    A name is known if its words are those of a SKU in GitHub's reference, or if it is in a short table of other names.
    For any other name the result is None.
    """
    plain = " ".join(_read(name).lower().split())
    words = canonical_sku(_OTHER_NAMES.get(plain) or _identifier(plain))
    return words if words in SKUS else None


def product_identifier(name: str) -> str | None:
    """Return the identifier of a product by its display name, or None if budgets have no such product."""
    word = _identifier(_read(name))
    return word if word in PRODUCTS else None


def _identifier(name: str) -> str:
    return "_".join(name.lower().replace("-", " ").split())


def _read(name: str) -> str:
    # Names from GitHub's reports are passed too, so any text is allowed.
    if not isinstance(name, str):
        raise ConfigError("name: write a text: the name of a product or of a SKU")
    return name


BudgetType = Literal["BundlePricing", "ProductPricing", "SkuPricing"]
"""The pricing type of a budget."""
BUNDLE_PRICING = "BundlePricing"
PRODUCT_PRICING = "ProductPricing"
SKU_PRICING = "SkuPricing"
BUDGET_TYPES: tuple[BudgetType, ...] = get_args(BudgetType)


class Source(NamedTuple):
    """Where the name of a bundle, product or SKU was found, and when.

    Attributes:
        text: The document or the observation.
        date: The date on which it was published, read or observed.
    """

    text: str
    date: str


_DESCRIPTION = Source("GitHub's OpenAPI description 23.0.2", "2026-09-09")
_REFERENCE = Source("GitHub's reference, github/docs at 051718f", "2026-11-23")
_NEWER = Source("GitHub's reference, as other projects copy it", "2026-11-23")
_OBSERVED = Source("accepted by GitHub, as users report", "2026-09-23")

BUNDLES = frozenset({"ai_credits", "premium_requests"})
_NEW_PRODUCTS = frozenset({"git_lfs"})
_PRODUCTS = frozenset({"actions", "packages", "codespaces", "copilot", "ghas", "ghec", "sandbox"})
PRODUCTS = _PRODUCTS | _NEW_PRODUCTS
_LINUX = ["", "_slim", "_arm"] + [f"_{size}" for size in ("2_core_advanced", "2_core_arm", "4_core", "4_core_arm")]
_LINUX += [f"_{size}" for size in ("4_core_gpu", "8_core", "8_core_arm", "32_core", "32_core_arm")]
_LINUX += [f"_{size}" for size in ("64_core", "64_core_arm", "96_core")]
_WINDOWS = ["", "_arm", "_2_core", "_2_core_advanced", "_2_core_arm", "_4_core", "_4_core_arm", "_4_core_gpu"]
_WINDOWS += ["_8_core", "_8_core_arm", "_16_core", "_32_core", "_32_core_arm", "_64_core", "_64_core_arm"]
LICENSE_SKUS = frozenset({"copilot_enterprise", "copilot_for_business", "copilot_standalone", "ghec_licenses"})
"""SKUs counted in licenses whose budget can only alert. GHAS licenses are excluded: their budget can be a hard stop."""
_SKUS = (
    frozenset({"actions_cache_storage", "actions_custom_image_storage", "actions_storage"})
    | {f"actions_linux{size}" for size in _LINUX}
    | {"actions_macos", "actions_macos_l", "actions_macos_xl"}
    | {f"actions_windows{size}" for size in _WINDOWS}
    | {f"codespaces_compute_d{cores}" for cores in (2, 4, 8, 16, 32)}
    | {"codespaces_storage", "codespaces_prebuild_storage", "copilot_ai_credits"}
    | {"ghas_licenses", "ghas_code_security_licenses", "ghas_secret_protection_licenses"}
    | {"sandbox_linux", "sandbox_memory", "sandbox_snapshot", "git_lfs_bandwidth", "git_lfs_storage"}
    | {"models_inference", "packages_bandwidth", "packages_storage", "spark_ai_credits"}
    | LICENSE_SKUS
)
_NEW_SKUS = frozenset({"actions_linux_16_core", "actions_linux_16_core_arm", "actions_windows_96_core"}) | {
    *("coding_agent_ai_credit", "code_quality_ai_credit", "code_quality_licenses")
}
SKUS = _SKUS | _NEW_SKUS
"""SKUs that GitHub's reference lists. The valid set differs by account, so an unlisted SKU is only a warning."""

SOURCES = {
    **dict.fromkeys(BUNDLES, _DESCRIPTION),
    **dict.fromkeys(_PRODUCTS | _SKUS, _REFERENCE),
    **dict.fromkeys(_NEW_SKUS, _NEWER),
    **dict.fromkeys(_NEW_PRODUCTS, _OBSERVED),
}
"""The source of each listed bundle, product and SKU."""

_SAME_SKU = {"copilot_ai_credit": "copilot_ai_credits", "premium_requests": "ai_credits"}


def canonical_sku(sku: str) -> str:
    """Return the canonical name of a product or SKU; all names of one meter have the same canonical name.

    Live budgets and newer versions of the reference use `copilot_ai_credit`, older ones use `copilot_ai_credits`, which
    is in states and so remains the canonical name. GitHub converted every
    premium-request budget into an AI-credit budget. The bundle and the single SKU remain different.
    """
    return _SAME_SKU.get(sku.lower(), sku.lower())


def pricing_type(sku: str) -> str:
    """Return the `budget_type` of a product or SKU; an unlisted name counts as a SKU."""
    if sku in BUNDLES:
        return BUNDLE_PRICING
    return PRODUCT_PRICING if sku in PRODUCTS else SKU_PRICING


def known_sku(sku: str) -> bool:
    """Return whether GitHub's reference lists this product or SKU, in either spelling."""
    return sku in BUNDLES or sku in PRODUCTS or canonical_sku(sku) in SKUS


def counts_licenses(sku: str) -> bool:
    """Return whether the amount of a budget for this product or SKU is a number of licenses, not of US dollars."""
    sku = canonical_sku(sku)
    return sku in LICENSE_SKUS or sku in {"ghas", "ghec"} or sku.endswith("_licenses")
