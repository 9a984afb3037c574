"""Sixty budgets and five cost centers under every quirk of reads: nothing that is managed is a finding."""

from __future__ import annotations

from billing_provider.adopt import inventory, report
from billing_provider.adopt.states import Managed, State
from tests.adopt.test_entries import MADE, READ
from tests.adopt.world import OtherClient, a_sandbox
from tests.support.harness import open_harness
from tests.support.quirks import under_every


@under_every(READ)
def test_nothing_managed_is_found_under_any_quirk(quirks: tuple[str, ...]) -> None:
    """Without a state all are unmanaged, each once, none as a duplicate; with a state of all, nothing is found."""
    with a_sandbox(*(MADE & {*quirks})) as sandbox:
        OtherClient(sandbox).everything(sandbox)
        for quirk in quirks:
            sandbox.switch(quirk)
        harness = open_harness(sandbox)
        inventories = inventory.read_inventories(harness.run, inventory.owners_of(["octo-enterprise"], ["octo-org"]))
        rows = report.find(harness.run, inventories, [], 14)
        assert {row.kind for row in rows} == {"unmanaged"}
        ids = sorted({id_ for row in rows for id_ in row.ids})
        assert (len(rows), len(ids)) == (65, 65)
        urn = "urn:pulumi:dev::p::t::b"
        managed = [Managed(id_.lower(), "dev.json", f"{urn}{number}") for number, id_ in enumerate(ids)]
        assert report.find(harness.run, inventories, [State("dev.json", managed)], 14) == []
        assert sandbox.writes == []
