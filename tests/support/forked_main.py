"""The command line in a forked process, whose engines fork their processes too."""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from pathlib import Path

from billing_provider import cli
from billing_provider.engine import Engine, ForkServer, fork_server


def own_fork_server() -> ForkServer:
    """Fork a fork server from this process, which has imported everything and has one thread."""
    ours, theirs = socket.socketpair()
    if os.fork() == 0:
        ours.close()
        wanted = fork_server.serve(theirs)
        if wanted is None:
            # It has run nothing that the fork server of the tests has not run.
            os.kill(os.getpid(), signal.SIGKILL)
        else:
            fork_server.run(wanted)
        sys.exit()
    theirs.close()
    server = ForkServer.__new__(ForkServer)
    server._socket, server._asking = ours, threading.Lock()
    return server


if __name__ == "__main__":
    if {"try", "--import"} & set(sys.argv):
        defaults = {**(Engine.__init__.__kwdefaults__ or {}), "fork_server": own_fork_server()}
        Engine.__init__.__kwdefaults__ = defaults
        # An engine forks only its own interpreter, and a project can have a link to it.
        linked = Path.cwd() / ".venv"
        if linked.resolve() == Path(sys.prefix).resolve():
            sys.executable = str(linked / "bin" / "python")
    # The fork server's are unbuffered.
    sys.stdout = open(1, "w", closefd=False)  # noqa: SIM115 - of this process until its end
    sys.stderr = open(2, "w", buffering=1, errors="backslashreplace", closefd=False)  # noqa: SIM115 - as above
    sys.exit(cli.main(sys.argv[1:]))
