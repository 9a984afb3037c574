"""The protocol of every delete: keep what another resource declares, and confirm a 404 by a listing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from billing_provider.core.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable

    from billing_provider.runtime.run import Run


def delete_confirmed(
    run: Run, id_: str, what: str, *, send: Callable[[], None], is_listed: Callable[[], bool], consequence: str = ""
) -> bool:
    """Delete one object unless another resource of this run declares it; an object that is provably gone is a success.

    Args:
        run: The engine run.
        id_: GitHub's id.
        what: The kind of object, for the warning that it is kept.
        send: Sends the DELETE request.
        is_listed: Reads the listing and returns whether it still contains the object.
        consequence: The end of that warning: the effect that the delete would have.

    Returns:
        True if it is gone; False if it was kept, with a warning.

    Raises:
        NotFoundError: GitHub returned 404, but its listing still contains the object.
        BillingError: It could not be deleted, or the listing could not be read.
    """
    holder = run.registry.holder(id_)
    if holder is not None:
        run.reporter.warn(f"kept {what} {id_}: {holder.rpartition('::')[2]} declares it{consequence}")
        return False
    try:
        send()
    except NotFoundError:
        if is_listed():
            raise
    return True
