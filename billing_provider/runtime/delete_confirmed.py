"""The one protocol of a deletion: kept while it is declared elsewhere, and a 404 alone proves nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from billing_provider.core.errors import NotFoundError

if TYPE_CHECKING:
    from collections.abc import Callable

    from billing_provider.runtime.run import Run


def delete_confirmed(
    run: Run, id_: str, what: str, *, send: Callable[[], None], is_listed: Callable[[], bool], consequence: str = ""
) -> bool:
    """Delete one thing, unless another resource of this run declares it; what is provably gone is done.

    Args:
        run: Whose resources.
        id_: GitHub's id.
        what: The kind of thing, for the warning that it is kept.
        send: Sends the deletion.
        is_listed: Tells whether a listing read now still has it.
        consequence: The end of that warning: what the deletion would do.

    Returns:
        Whether it is gone; False if it was kept, with a warning.

    Raises:
        NotFoundError: GitHub said 404 and lists it.
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
