"""`python -m lanekeep`."""

import sys

from lanekeep.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
