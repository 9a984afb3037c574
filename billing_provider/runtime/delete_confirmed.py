"""The protocol of every delete: keep what another resource declares, and confirm a 404 by a listing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from billing_provider.core.errors import NotFoundError
from billing_provider.runtime.registry import name_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from billing_provider.runtime.run import Run


DELETES = "deletes the "
"""How the warning about a deleted cap begins."""


def delete_confirmed(
    run: Run,
    urn: str,
    id_: str,
    what: str,
    *,
    send: Callable[[], None],
    is_listed: Callable[[], bool],
    consequence: str = "",
    cap: str = "",
) -> bool:
    """Delete one object unless another resource of this run declares it; an object that is provably gone is a success.

    Args:
        run: The engine run.
        urn: The URN of the resource.
        id_: GitHub's id.
        what: The kind of object, for the warning that it is kept.
        send: Sends the DELETE request.
        is_listed: Reads the listing and returns whether it still contains the object.
        consequence: The end of that warning: the effect that the delete would have.
        cap: The cap that goes with it, for the warning after the delete; empty for none.

    Returns:
        True if it is gone; False if it was kept, with a warning.

    Raises:
        NotFoundError: GitHub returned 404, but its listing still contains the object.
        BillingError: It could not be deleted, the run has deleted the most that it may, or the listing could not be
            read.
    """
    holder = run.registry.holder(id_, urn)
    if holder is not None:
        run.reporter.warn(f"kept {what} {id_}: {name_of(holder)} declares it{consequence}")
        return False
    run.take_delete(f"{what} {id_}", counts=not run.registry.is_checked(urn))
    try:
        send()
    except NotFoundError:
        if is_listed():
            raise
        told = f"the {cap} is gone from GitHub"
    else:
        told = f"{DELETES}{cap}"
    if cap:
        run.reporter.warn(told)
    return True
