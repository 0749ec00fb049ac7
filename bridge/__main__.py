"""`python -m bridge`: the command voice-bridge."""

import sys

from bridge.cli import main

if __name__ == "__main__":  # a worker imports it too
    sys.exit(main())
