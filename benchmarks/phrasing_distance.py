"""How far held-out phrasings are from those of training: words to change, to take out and to put in.

    python benchmarks/phrasing_distance.py

Every way to say a held-out phrasing is compared with every way to say a training phrasing of the same kind of
edit; a phrasing is as far as its farthest way from the nearest. Ends in one line of JSON.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # for when this is run as a script

from mgie_engine.lab.scenes.phrasing import phrasings, table, templates, ways

MOST_WAYS = 40  # of one phrasing, evenly taken
NO_TONES = ("effects", "opposite", "degrees", "photo_moods")  # tables beside the tones in tones.toml


def main() -> None:
    """Measure and report."""
    found = Counter(min(distance, 4) for _, distance in distances())
    total = sum(found.values())
    report = {
        "benchmark": "phrasing_distance",
        "held_out": total,
        "by_words": {("4 or more" if words == 4 else str(words)): found[words] for words in sorted(found)},
        "at_most_one_word": round((found[0] + found[1]) / total, 3),
    }
    sys.stdout.write(json.dumps(report) + "\n")


def distances() -> Iterator[tuple[str, int]]:
    """Every held-out phrasing, and how many words it is from training."""
    for source, kinds in (("phrases", phrasings()), ("tones", table("tones"))):
        for kind, splits in kinds.items():
            if kind in NO_TONES or not isinstance(splits, dict) or "test" not in splits:
                continue
            known = [words for template in templates(kind, "train", source) for words in _ways(template)]
            for template in templates(kind, "test", source):
                yield template, max(min(_edits(said, other) for other in known) for said in _ways(template))


def _ways(template: str) -> list[tuple[str, ...]]:
    every = [tuple(way.casefold().split()) for way in islice(ways(template), 5000)]
    return every[:: max(1, len(every) // MOST_WAYS)]


def _edits(one: Sequence[str], other: Sequence[str]) -> int:
    """The least number of words to change, take out or put in."""
    row = list(range(len(other) + 1))
    for number, word in enumerate(one, 1):
        last, row[0] = row[0], number
        for place, right in enumerate(other, 1):
            last, row[place] = row[place], min(row[place] + 1, row[place - 1] + 1, last + (word != right))
    return row[-1]


if __name__ == "__main__":
    main()
