"""`python -m bridge`: the command voice-bridge."""

import gc
import sys

gc.disable()  # what is loaded now stays: to look through it again and again takes a fifth of the time
from bridge.cli import main  # noqa: E402

gc.enable()

if __name__ == "__main__":  # a worker imports it too
    sys.exit(main())
