"""`mgie train` for a launcher that starts one process per device:

accelerate launch -m mgie_engine.lab.training full release --data PREPARED --from MODEL --folder DIR
torchrun --nproc-per-node=2 -m mgie_engine.lab.training stage mini-diffusion --folder DIR
"""

import os
import sys

from mgie_engine.cli_types import CommandParser
from mgie_engine.errors import EngineError
from mgie_engine.lab.training.command import register


def main() -> None:
    """Run `mini`, `full` or `stage` with the arguments of the command line."""
    parser = CommandParser("python -m mgie_engine.lab.training")
    register(parser.add_subparsers(required=True, metavar="WHAT"))
    arguments = parser.parse_args()
    arguments.run(arguments, os.environ)


if __name__ == "__main__":
    try:
        main()
    except EngineError as error:
        sys.exit(str(error))
