"""What six attackers at once do to ten ordinary users: on a loopback Discord, then on the local page.

    python benchmarks/attackers.py [--seconds 60]

On Discord four attackers post pictures meant to use up memory and time, as fast as they are answered, and two
compare versions of 40 megapixels. On the page two upload such pictures, one sends bodies of 60 MB, one keeps
uploads open one byte short, one opens connections that send half a request, and one asks for the differences
of pictures of 40 megapixels. Meanwhile each ordinary user asks for an edit every second or so. The delay is
from the post to the first answer (Discord) or the response (page). No edit may be lost. Memory is that of the
bot's process and its children together over idle. At last, while the attacks go on, SIGTERM must end the bot.
Ends in one line of JSON; exits with 1 if p95 is over 2 s, an edit is lost, 1.5 GB are used, or the end takes
50 s.
"""

import argparse
import asyncio
import json
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))  # the loopback server lives with the tests

from benchmarks.attacks.attack import MOST_END_S
from benchmarks.attacks.on_discord import on_discord
from benchmarks.attacks.on_page import on_page

MOST_ACK_S, MOST_MIB = 2.0, 1.5e9 / 2**20


def is_bad(scene: dict[str, Any]) -> bool:
    """Whether the users of a scene suffered."""
    return bool(
        scene["lost"]
        or scene["ack_p95_s"] > MOST_ACK_S
        or scene["all_over_idle_mib"] > MOST_MIB
        or scene["sigterm_s"] > MOST_END_S
    )


async def measure(seconds: float, scenes: list[str]) -> dict[str, Any]:
    """The scenes, one after the other."""
    play = {"discord": on_discord, "page": on_page}
    return {
        "benchmark": "attackers",
        "seconds": seconds,
        **{name: await play[name](seconds) for name in scenes},
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--scenes", nargs="+", choices=("discord", "page"), default=["discord", "page"])
    given = parser.parse_args()
    figures = asyncio.run(measure(given.seconds, given.scenes))
    sys.stdout.write(json.dumps(figures) + "\n")
    sys.exit(any(is_bad(figures[name]) for name in given.scenes))


if __name__ == "__main__":
    main()
