"""Resources and data functions for Pulumi programs."""

from __future__ import annotations

import pulumi

from billing_provider.core import sdk_version

if _reason := sdk_version.too_old():
    # Pulumi shows this error without a traceback.
    raise pulumi.RunError(_reason)
