"""`python -m lanekeep`."""

import sys

from lanekeep.cli import main

sys.exit(main())
