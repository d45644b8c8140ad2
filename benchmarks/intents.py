"""How well messages are understood: `python -m benchmarks.intents FILE`.

FILE holds one message a line, a tab, and what it asks for: edit, control, help or ignore. A third column may
say "channel" for a message that nobody addressed to the bot; others are taken as messages to it. Prints what
was taken for something else, the accuracy of each class, and one line of JSON:

    painted        messages that are no edits and would be painted, and their share
    missed, asked  edits that are left alone; edits about which the bot asks first
"""

import argparse
import json
import sys
from pathlib import Path

from bot.i18n.catalog import ENGLISH
from tests.support.labelled_messages import measure, read_labelled

OWN = Path("tests/conversations/intents/channel.tsv")


def main() -> None:
    """Print the figures of a file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("file", type=Path, nargs="?", default=OWN)
    parser.add_argument("--language", default=ENGLISH, help="of the users, where Discord tells it")
    parser.add_argument("--channel", action="store_true", help="no message was said to the bot")
    arguments = parser.parse_args()
    figures = measure(read_labelled(arguments.file, is_addressed=not arguments.channel), arguments.language)
    lines = [f"{label:8} taken for {given:8} {text}" for label, given, text in figures.pop("wrong")]
    lines += [f"{name:8} {share:.1%}" for name, share in figures["accuracy"].items()]
    sys.stdout.write("\n".join([*lines, json.dumps(figures)]) + "\n")


if __name__ == "__main__":
    main()
