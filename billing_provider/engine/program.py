"""The child process that runs a Pulumi program: it reads its settings and runs the main file in a stack."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import runpy
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pulumi
from pulumi.runtime import Settings, configure, run_in_stack, set_all_config

# A quarter of the registrations that a program sends at a time; those that wait for a resource count too.
PARALLEL = 8
SETTINGS_VARIABLE = "PULUMI_TRY_PROGRAM"
# The exit code after an error that is already reported.
REPORTED = 32


def main() -> int:
    """Run the program that the environment names; return the exit code."""
    given = json.loads(os.environ[SETTINGS_VARIABLE])
    set_all_config(given["config"], given["secret_keys"])
    configure(Settings(**given["settings"]))
    program = Path(given["program"])
    main_file = main_file_of(program)
    # As Python does for a script: modules beside the program can be imported, those beside this file cannot.
    sys.path[0] = str(main_file.parent)
    sys.argv = [str(program)]
    # A failed run leaves futures that are never awaited; asyncio would log each of them.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    # Not asyncio.run: it handles SIGINT only when the program returns to the event loop.
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    # Each pending registration uses one of these threads.
    loop.set_default_executor(ThreadPoolExecutor(max_workers=PARALLEL * 4))
    try:
        loop.run_until_complete(run_in_stack(lambda: _run_file(main_file)))
    except pulumi.RunError as error:
        pulumi.log.error(str(error))
        return 1
    except KeyboardInterrupt:
        return 130
    except Exception as error:  # noqa: BLE001 - whatever a user's program raises is told to the user
        pulumi.log.error(f"Program failed with an unhandled exception:\n{_users_part(error, main_file)}")
        return REPORTED
    return 0


def main_file_of(program: Path) -> Path:
    """Return the main file of a program, which is a file or a folder."""
    return program / "__main__.py" if program.is_dir() else program


def _run_file(main_file: Path) -> None:
    runpy.run_path(str(main_file), run_name="__main__")


def _users_part(error: Exception, main_file: Path) -> str:
    """Return the traceback from the program's own file on, without the frames of this engine."""
    frames = traceback.extract_tb(error.__traceback__)
    first = next((at for at, frame in enumerate(frames) if Path(frame.filename) == main_file), 0)
    return "".join(traceback.format_exception(type(error), error, error.__traceback__, limit=first - len(frames)))


if __name__ == "__main__":
    sys.exit(main())
