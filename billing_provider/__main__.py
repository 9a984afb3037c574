"""The command line as `python -m billing_provider`."""

import sys

from billing_provider.cli import main

if __name__ == "__main__":
    sys.exit(main())
