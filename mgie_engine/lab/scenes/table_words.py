"""Writes the words of the phrasing tables, by which mistyped ones are corrected before reading.

python -m mgie_engine.lab.scenes.table_words
"""

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mgie_engine.lab.scenes.phrasing import table
from mgie_engine.text.spelling import KNOWN_WORDS

LEAST = 4  # letters: shorter words are not corrected
_TABLES = tuple(
    file.stem for file in Path(__file__).parent.glob("*.toml") if not file.stem.startswith("human_prompts")
)


def table_words() -> frozenset[str]:
    """Every word that an instruction of the grammar may have."""
    texts = (text for name in _TABLES for text in _texts(table(name)))
    return frozenset(word for text in texts for word in re.findall(rf"[a-z]{{{LEAST},}}", text.lower()))


def _texts(data: Any) -> Iterator[str]:
    if isinstance(data, str):
        yield data
    else:
        for part in data.values() if isinstance(data, dict) else data if isinstance(data, list) else ():
            yield from _texts(part)


def main() -> None:
    """Rewrite the first paragraph; the second keeps the words that are not in it."""
    taught, others = table_words(), KNOWN_WORDS.read_text("utf-8").split("\n\n")[1].split()
    kinds = sorted(taught), [word for word in others if word not in taught]
    KNOWN_WORDS.write_text("\n\n".join(textwrap.fill(" ".join(kind), 110) for kind in kinds) + "\n", "utf-8")


if __name__ == "__main__":
    main()
