"""`python -m bot` is `mgie-bot`."""

import sys

from bot.cli import main

sys.exit(main())
