"""Formats of ids, and ids that are refused before a request."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_provider.core.errors import ConfigError
from billing_provider.core.ids import parse_resource_id, read_id, read_slug, resource_id
from billing_provider.core.owners import OWNER_KINDS
from billing_provider.cost_centers.lifecycle import CostCenterLifecycle
from tests.support.harness import open_harness

if TYPE_CHECKING:
    from collections.abc import Callable

    from billing_provider.sandbox import Sandbox

UUID = "0123abcd-0123-4567-89ab-0123456789ab"
TEXTS = ["", ".", "..", "a/b", "a b", "a\n", "one ", "\ud800", "\0", "ö", "x" * 101, "%2e", "a?b", "\u202ea", "a\\b"]
STRANGE: list[Any] = [*TEXTS, None, 5, True, b"one", ["one"], {}, float("nan")]


@pytest.mark.parametrize("value", [UUID, UUID + "0", UUID.upper(), "9", "a_b", "x" * 100])
def test_valid_ids(value: str) -> None:
    """UUIDs, the longer id that GitHub documents, and other ASCII letters and digits are valid ids."""
    assert read_id("budget_id", value) == value


@pytest.mark.parametrize("value", ["octo-enterprise", "octocat_corp", "A", "9", "a.b"])
def test_valid_slugs(value: str) -> None:
    """Letters, digits, hyphens, and the underscore of managed users are valid in a slug."""
    assert read_slug("enterprise", value) == value


@pytest.mark.parametrize("read", [read_id, read_slug])
@pytest.mark.parametrize("value", STRANGE, ids=ascii)
def test_invalid_ids_and_slugs(value: Any, read: Callable[[str, Any], str]) -> None:
    """Other types, path parts, spaces, control characters, surrogates, other alphabets and long texts are refused."""
    with pytest.raises(ConfigError, match=r"^name: write an? .*, not ") as caught:
        read("name", value)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 500


@given(
    noun=st.sampled_from(list(OWNER_KINDS)),
    owner=st.from_regex(r"[a-z0-9]{1,9}(-[a-z]{1,3}){0,2}", fullmatch=True),
    github_id=st.from_regex(r"[A-Za-z0-9_-]{1,100}", fullmatch=True),
)
def test_a_resource_id_is_parsed_into_its_parts(noun: str, owner: str, github_id: str) -> None:
    """A resource id returns its owner and GitHub's id; with another kind of owner it is refused."""
    text = resource_id(noun, owner, github_id)
    assert parse_resource_id(noun, "Budget", text) == (owner, github_id)
    with pytest.raises(ConfigError, match=f"the id of Budget has the form other/OWNER/ID, not '{noun}/"):
        parse_resource_id("other", "Budget", text)


FORMS = ["{}", "enterprise{}", "enterprise/{}/" + UUID, "enterprise/octo-enterprise/{}", "organization/octo-org/{}"]


@pytest.mark.parametrize("id_", [*STRANGE, *(form.format(text) for form in FORMS for text in TEXTS)], ids=ascii)
def test_an_invalid_resource_id_sends_nothing(id_: Any, sandbox: Sandbox) -> None:
    """Read, update, delete and diff of both resources refuse an invalid id with a short, printable message."""
    harness = open_harness(sandbox)
    for cycle in (harness.enterprise, CostCenterLifecycle(harness.run)):
        for call, arguments in (
            (cycle.read, ({},)),
            (cycle.update, ({}, {})),
            (functools.partial(cycle.delete, "urn"), ({},)),
        ):
            with pytest.raises(ConfigError, match="has the form enterprise/OWNER/ID, not") as caught:
                call(id_, *arguments)
            assert str(caught.value).isprintable()
            assert len(str(caught.value)) < 500
        with pytest.raises(ConfigError, match="has the form enterprise/OWNER/ID, not"):
            cycle.diff("urn", id_, {}, {}, frozenset())
    assert sandbox.requests == []
