"""Tests that run under every quirk of the sandbox: quirks of different fields together, because each run takes long."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import pytest

from billing_provider.sandbox.operations.quirks import QUIRKS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_TOGETHER = (
    (
        *("plural_sku", "float_amounts", "bare_repository", "empty_entity", "get_omits_expiry"),
        *("recipients_reordered", "consumed_everywhere", "link_header", "flat_create"),
    ),
    (
        *("singular_ai_credit", "uuid_echo", "missing_entity", "recipients_lowercased", "page_cap_10"),
        *("extra_fields", "create_echoes_user"),
    ),
    (
        *("uppercase_login_echo", "multi_user_customer_empty_entity", "alerting_for_user_missing"),
        *("page_flags_missing", "no_id_in_create", "long_ids", "resource_long_types"),
    ),
    ("cost_center_scope_echo", "total_count_missing", "list_lag", "premium_requests_converted"),
)
"""Quirks that change different fields of a reply, or different replies, so that none hides another."""


def bundles(names: Iterable[str]) -> list[tuple[str, ...]]:
    """Return quirks in bundles; those that change no reply to a listing, a read or a create are the last one."""
    together = [*_TOGETHER, tuple(QUIRKS.keys() - {name for bundle in _TOGETHER for name in bundle})]
    wanted = set(names)
    found = [tuple(sorted(wanted & set(bundle))) for bundle in together]
    return [bundle for bundle in found if bundle]


def under_every(names: Iterable[str]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Run a test with bundles of quirks as its argument `quirks`; of one that fails, each quirk alone, to name it."""

    def decorate(test: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(test)
        def split(*, quirks: tuple[str, ...], **given: Any) -> None:
            try:
                test(quirks=quirks, **given)
            except Exception:
                for quirk in quirks:
                    test(quirks=(quirk,), **given)
                raise

        marked: Callable[..., None] = pytest.mark.parametrize("quirks", bundles(names), ids=lambda each: each[0])(split)
        return marked

    return decorate
