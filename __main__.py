"""Runs the example that is named like the stack: `pulumi up --stack quickstart` runs stacks/quickstart.py."""

import runpy
from pathlib import Path

import pulumi

program = Path(__file__).parent / "stacks" / f"{pulumi.get_stack()}.py"
if not program.is_file():
    names = ", ".join(sorted(path.stem for path in program.parent.glob("*.py")))
    raise pulumi.RunError(f"there is no example {program.stem}: name the stack like one of {names}")
runpy.run_path(str(program))
