"""Give the engine the import path that the documents use, until it has moved there."""

from __future__ import annotations

import importlib
import importlib.util
import sys

if importlib.util.find_spec("billing_provider.engine") is None:
    sys.modules["billing_provider.engine"] = importlib.import_module("billing_provider.engine")
