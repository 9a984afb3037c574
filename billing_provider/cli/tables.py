"""The parts of rich for tables; the import fails without the extra `cli`."""

from __future__ import annotations

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table
from rich.text import Text

__all__ = ["SIMPLE", "Console", "Table", "Text"]
