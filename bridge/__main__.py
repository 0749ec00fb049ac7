"""`python -m bridge`: the command voice-bridge."""

import sys

from bridge.cli import main

sys.exit(main())
