"""Runs the example that is named like the stack: `pulumi up --stack quickstart` runs stacks/quickstart.py."""

import importlib.util
import sys
from pathlib import Path

import pulumi

program = Path(__file__).parent / "stacks" / f"{pulumi.get_stack()}.py"
spec = importlib.util.spec_from_file_location(program.stem, program)
if not program.is_file() or spec is None or spec.loader is None:
    names = ", ".join(sorted(path.stem for path in program.parent.glob("*.py")))
    raise pulumi.RunError(f"there is no example {program.stem}: name the stack like one of {names}")
# A real module, kept: Pulumi looks up the annotations of a component's class in its module.
sys.modules[program.stem] = module = importlib.util.module_from_spec(spec)
spec.loader.exec_module(module)
