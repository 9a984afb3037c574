"""What the fork server of the tests imports: a forked process measures only what it runs itself.

Without this, each one would write the lines of all the imports again, which takes as long as many of them run.
"""

from __future__ import annotations

import os
import sys


def forget() -> None:
    """Forget what the fork server has measured, and will write itself; survive an interrupt."""
    measure = sys.modules.get("coverage")
    measuring = measure.Coverage.current() if measure else None
    if measuring is not None and measuring._collector is not None:
        measuring._collector._clear_data()
        # Ctrl-C while this lock is held would leave it locked, and the process would wait for it for ever. Without it,
        # the interpreter's own lock is enough: the tracer, in C, makes the entry of a file without giving it up.
        measuring._collector.data_lock = None


os.register_at_fork(after_in_child=forget)
