"""What the fork server of the tests imports: a forked process measures only what it runs itself.

Without this, each one would write the lines of all the imports again, which takes as long as many of them run.
"""

from __future__ import annotations

import os
import sys


def forget() -> None:
    """Forget what the fork server has measured, and will write itself."""
    measure = sys.modules.get("coverage")
    measuring = measure.Coverage.current() if measure else None
    if measuring is not None and measuring._collector is not None:
        measuring._collector._clear_data()


os.register_at_fork(after_in_child=forget)
