"""The verb skus: its table, its other formats, and similar names."""

from __future__ import annotations

import csv
import io
import json
import re

import pytest

from billing_provider.budgets.skus import BUDGET_TYPES, SOURCES
from billing_provider.cli import main


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["skus", *arguments]) == 0
    return capsys.readouterr().out


@pytest.fixture(autouse=True)
def _no_github(monkeypatch: pytest.MonkeyPatch) -> None:
    # The verb needs neither a token nor a host.
    for name in ("GITHUB_BILLING_TOKEN", "GITHUB_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GITHUB_API_URL", "http://127.0.0.1:1")


def test_each_name_has_a_row(capsys: pytest.CaptureFixture[str]) -> None:
    """The table has a row for each listed name: bundles, products, SKUs, each with type, unit and source."""
    lines = [re.split(r"\s{2,}", line.strip()) for line in shown(capsys).splitlines()]
    assert lines[0] == [f"Products and SKUs: {len(SOURCES)}"]
    rows = [line for line in lines if line[0] in SOURCES]
    assert {row[0] for row in rows} == set(SOURCES)
    kinds = [BUDGET_TYPES.index(row[1]) for row in rows]
    assert kinds == sorted(kinds)
    (lfs,) = [row for row in rows if row[0] == "git_lfs"]
    assert lfs == ["git_lfs", "ProductPricing", "USD", *SOURCES["git_lfs"]]
    (quality,) = [row for row in rows if row[0] == "code_quality_licenses"]
    assert quality[1:3] == ["SkuPricing", "licenses"]


def test_formats_have_the_same_rows(capsys: pytest.CaptureFixture[str]) -> None:
    """JSON and CSV have the same names and values."""
    document = json.loads(shown(capsys, "--json"))["skus"]
    assert [row["budget_product_sku"] for row in document][:2] == ["ai_credits", "premium_requests"]
    assert list(csv.DictReader(io.StringIO(shown(capsys, "--csv")))) == document


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("actions_linux_4core", "actions_linux_4_core"),
        ("GIT_LFS", "git_lfs"),
        ("copilot_ai_credit", "copilot_ai_credits"),
        ("0", None),
        ("", None),
    ],
)
def test_similar_names(capsys: pytest.CaptureFixture[str], name: str, first: str | None) -> None:
    """Only names that are similar to a text are shown, the most similar first; there can be none."""
    found = [row["budget_product_sku"] for row in json.loads(shown(capsys, "--near", name, "--json"))["skus"]]
    assert found[:1] == ([] if first is None else [first])
    assert len(found) <= 5
    assert f"Products and SKUs: {len(found)}\n" in shown(capsys, "--near", name)
