"""The products and SKUs of budgets, with their pricing types."""

from __future__ import annotations

BUNDLES = ("ai_credits", "premium_requests")
PRODUCTS = ("actions", "codespaces", "copilot", "ghas", "ghec", "git_lfs", "packages", "sandbox")


GHAS = ("ghas_licenses", "ghas_code_security_licenses", "ghas_secret_protection_licenses")
"""The SKUs of GHAS licenses, whose budgets cannot be below today's use."""


def _family(prefix: str, endings: str) -> tuple[str, ...]:
    return tuple(prefix + ending.strip("-") for ending in endings.split())


# "-" is the prefix alone. The last family has names that older documentation and live accounts still use.
SKUS: tuple[str, ...] = (
    *_family("actions_", "cache_storage custom_image_storage storage"),
    *_family("actions_linux", "- _slim _arm _2_core_advanced _2_core_arm _4_core _4_core_arm _4_core_gpu _8_core"),
    *_family("actions_linux", "_8_core_arm _16_core _16_core_arm _32_core _32_core_arm _64_core _64_core_arm _96_core"),
    *_family("actions_macos", "- _l _xl _8_core _12_core"),
    *_family("actions_windows", "- _arm _2_core _2_core_advanced _2_core_arm _4_core _4_core_arm _4_core_gpu _8_core"),
    *_family(
        "actions_windows", "_8_core_arm _16_core _16_core_arm _32_core _32_core_arm _64_core _64_core_arm _96_core"
    ),
    *_family("codespaces_", "compute_d2 compute_d4 compute_d8 compute_d16 compute_d32 storage prebuild_storage"),
    *_family("copilot_", "ai_credits enterprise for_business standalone"),
    *_family("ghas_", "licenses code_security_licenses secret_protection_licenses"),
    *_family("code_quality_", "ai_credit licenses"),
    *_family("coding_agent_", "ai_credit ai_unit premium_request"),
    *_family("sandbox_", "linux memory snapshot"),
    *_family("git_lfs_", "bandwidth storage"),
    *_family("packages_", "bandwidth storage"),
    "ghec_licenses",
    "models_inference",
    "spark_ai_credits",
    *_family("copilot_", "ai_credit ai_unit premium_request agent_premium_request"),
    "spark_premium_request",
)


def pricing_type(name: str) -> str | None:
    """Return the `budget_type` of a product or SKU, or None if it is unknown."""
    if name in BUNDLES:
        return "BundlePricing"
    if name in PRODUCTS:
        return "ProductPricing"
    return "SkuPricing" if name in SKUS else None
