"""The shipped weights belong to the corpus, and learning from it works."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from conversations.intents.phrase_tables import phrase_table
from conversations.intents.sorted_text import Asks
from conversations.intents.text_classifier import CLASSES, WEIGHTS, TextClassifier, text_classifier
from conversations.intents.training import (
    CORPUS,
    CorpusLine,
    figures,
    fingerprint,
    learn,
    read_corpus,
    writers,
)

MIB = 1 << 20
TOLD = [
    CorpusLine(text, asks)
    for asks, texts in {
        Asks.EDIT: ("make it darker", "make it red", "make the sky red"),
        Asks.CONTROL: ("undo", "undo that", "undo it"),
        Asks.HELP: ("what can you do", "what do you do", "can you do videos"),
        Asks.IGNORE: ("thanks a lot", "thanks", "lol thanks"),
    }.items()
    for text in texts
]


def test_the_shipped_weights_were_learned_from_the_corpus_as_it_is() -> None:
    assert text_classifier().corpus == fingerprint(writers()), "run python -m conversations.intents.training"


def test_corpus_and_weights_are_small() -> None:
    assert WEIGHTS.stat().st_size < MIB
    assert sum(file.stat().st_size for file in writers()) < 600_000


@pytest.mark.parametrize("file", writers(), ids=lambda file: file.stem)
def test_every_line_of_the_corpus_has_a_class_and_stands_once(file: Path) -> None:
    lines = file.read_text("utf-8").splitlines()
    assert [line for line in lines if line.split("\t")[1:] not in [[asks.value] for asks in CLASSES]] == []
    assert [line for line, count in Counter(lines).items() if count > 1] == []


def test_learning_twice_gives_the_same_weights_which_survive_a_file(tmp_path: Path) -> None:
    first, second = learn(TOLD, "toy"), learn(TOLD, "toy")
    assert np.array_equal(first.weights, second.weights)
    first.save(tmp_path / "weights.npz")
    read = TextClassifier.load(tmp_path / "weights.npz")
    table = phrase_table("en")
    assert read.corpus == "toy"
    assert read.likelihoods("undo this", table) == second.likelihoods("undo this", table)


def test_what_was_learned_is_told_again() -> None:
    found = figures(learn(TOLD), TOLD)
    assert found["right"] == {asks.value: 1.0 for asks in CLASSES}
    assert found["taken_for_edits"] == 0.0


def test_messages_without_words_are_left_out(tmp_path: Path) -> None:
    (tmp_path / "x.tsv").write_text("🔥\tignore\nmake it red\tedit\n")
    assert [example.text for example in read_corpus([tmp_path / "x.tsv"])] == ["make it red"]
    assert CORPUS.is_dir()
