"""``python -m livebridge``: the command line."""

import sys

from livebridge.cli import main

sys.exit(main())
