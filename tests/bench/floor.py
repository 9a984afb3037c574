"""A dynamic resource that does nothing, with as many inputs and outputs as a budget: what Pulumi itself costs.

The bench copies this file into its project. It declares no output, which is the cheapest that the SDK allows.
"""

from __future__ import annotations

from typing import Any

from pulumi.dynamic import CreateResult, Resource, ResourceProvider, UpdateResult

INPUTS = {"budget_entity_name": ""}
"""What the check of a budget adds to the inputs of the bench's program."""
OUTPUTS = {
    "budget_id": "11111111-1111-4111-8111-111111111111",
    "github_entity_name": "person",
    "adopted": False,
    "kept_on_delete": False,
}
"""What a budget of the bench has in its state beside its inputs; a test compares the names."""


class NothingProvider(ResourceProvider):
    """Stores what it is given."""

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Return the inputs and some outputs."""
        return CreateResult(f"enterprise/octo-enterprise/{props['user']}", {**props, **OUTPUTS})

    def update(self, _id: str, _olds: dict[str, Any], news: dict[str, Any]) -> UpdateResult:
        """Return the same."""
        return UpdateResult({**news, **OUTPUTS})


class Nothing(Resource, module="bench", name="Nothing"):
    """Stands for a budget."""

    def __init__(self, name: str, **inputs: Any) -> None:
        super().__init__(NothingProvider(), name, {**inputs, **INPUTS})
