"""The names of a report's filters that cannot be right: without usage, a misspelt name looks like a total of 0."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from billing_provider.budgets.skus import PRODUCTS, SKUS, product_identifier, sku_identifier
from billing_provider.core.errors import ConfigError
from billing_provider.core.inputs import did_you_mean
from billing_provider.core.owners import ORGANIZATION, USER

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from billing_provider.usage.models import SummaryName, UsageSummary
    from billing_provider.usage.queries import UsageReader


def summary(reader: UsageReader, report: SummaryName, **given: Any) -> UsageSummary:
    """Return usage by SKU or by model, of known names.

    Args:
        reader: Sends the query.
        report: The report to read.
        **given: As for `UsageReader.summary`.

    Raises:
        BillingError: A request failed; or no usage was found, because nothing has the name of a filter.
    """
    found = reader.summary(report, **given)
    check(found.usage_items, given)
    return found


def check(found: Sequence[object], given: Mapping[str, Any], inputs: Mapping[str, str] | None = None) -> None:
    """Check the names of a product, a SKU and a repository of which no usage was found.

    The valid names differ by account and are more than this package knows, so a name with usage is not checked.

    Args:
        found: The lines of the report.
        given: The filters by their names; one that is None is not given.
        inputs: How the caller writes the name of a filter, such as `--sku`; by default, as in `given`.

    Raises:
        ConfigError: A name is not known, or the name of a repository has no owner.
    """
    if found:
        return
    for name, known, names in (("product", product_identifier, PRODUCTS), ("sku", sku_identifier, SKUS)):
        text = given.get(name)
        if text is not None and known(text) is None:
            instead = did_you_mean(text, names) or "; `billing-provider skus` lists the known names"
            raise ConfigError(f"{_input(name, inputs)} {text}: no usage was found, and the name is not known{instead}")
    repository = given.get("repository")
    if repository is not None and "/" not in repository:
        owner = given.get(ORGANIZATION) or given.get(USER)
        such = f", such as {owner}/{repository}" if owner else ""
        raise ConfigError(
            f"{_input('repository', inputs)} {repository}: no usage was found: write it as owner/name{such}"
        )


def _input(name: str, inputs: Mapping[str, str] | None) -> str:
    return (inputs or {}).get(name, name)
