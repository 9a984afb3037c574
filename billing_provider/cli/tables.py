"""The parts of rich that tables are made of; importing it fails where the extra `cli` is not installed."""

from __future__ import annotations

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table
from rich.text import Text

__all__ = ["SIMPLE", "Console", "Table", "Text"]
