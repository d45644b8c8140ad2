"""Learns the weights that tell messages apart: `python -m conversations.intents.training`.

    --hold-out NAME   learn from the other writers of the corpus, and measure on the messages of NAME

Multinomial logistic regression on the whole corpus at once, with numpy alone; the same corpus gives the same
weights. `corpus/*.tsv` holds one message and its class a line, one file for each writer: everything in it was
written for this purpose.
"""

import argparse
import hashlib
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from conversations.intents import text_features
from conversations.intents.intent import tongues
from conversations.intents.message_markup import strip_markup
from conversations.intents.phrase_tables import ENGLISH, WORDS, phrase_table
from conversations.intents.sorted_text import Asks
from conversations.intents.tagged_words import plain_words
from conversations.intents.text_classifier import CLASSES, WEIGHTS, TextClassifier, weighed
from conversations.intents.text_features import BUCKETS, Features, features_of

CORPUS = Path(__file__).parent / "corpus"
STRENGTH = 10.0  # how much the corpus counts against small weights
ROUNDS = 120
HISTORY = 10  # of the quasi-Newton method
RARITY_STEPS = 255

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class CorpusLine:
    """A message without markup, and its class."""

    text: str
    asks: Asks


def read_corpus(files: Sequence[Path]) -> list[CorpusLine]:
    """The messages of some writers."""
    lines = [line.split("\t") for file in files for line in file.read_text("utf-8").splitlines()]
    examples = [CorpusLine(strip_markup(text), Asks(asks)) for text, asks in lines]
    return [example for example in examples if plain_words(example.text)]


def fingerprint(files: Sequence[Path]) -> str:
    """A hash of everything that the weights are made from: messages, lists of words, features, settings."""
    digest = hashlib.sha256(repr((STRENGTH, ROUNDS, HISTORY, RARITY_STEPS)).encode())
    for file in (*sorted(files), *sorted(WORDS.glob("*.toml")), Path(text_features.__file__)):
        digest.update(file.name.encode() + file.read_bytes())
    return digest.hexdigest()


def features_in(text: str) -> Features:
    """The features of a message of anybody, in the language that knows most of its words."""
    return features_of(text, phrase_table(tongues(plain_words(text), ENGLISH)[0]))


def learn(examples: Sequence[CorpusLine], corpus: str = "") -> TextClassifier:
    """The weights that tell these messages apart."""
    found = [features_in(example.text) for example in examples]
    rarity = _rarity(found)
    rows = _FeatureRows([weighed(features, rarity) for features in found])
    classes = np.array([CLASSES.index(example.asks) for example in examples])
    start = np.zeros((BUCKETS + 1) * len(CLASSES))
    solution = _minimum(lambda point: _loss(point, rows, classes), start).reshape(-1, len(CLASSES))
    weights, bias = solution[:-1], solution[-1]
    step = np.abs(weights).max(axis=0) / 127
    return TextClassifier(
        np.round(weights / step).astype(np.int8),
        step.astype(np.float32),
        bias.astype(np.float32),
        rarity,
        corpus,
    )


def _rarity(found: Sequence[Features]) -> NDArray[np.uint8]:
    """The inverse document frequency of each bucket, in steps."""
    count = np.bincount(np.concatenate([buckets for one in found for buckets in one]), minlength=BUCKETS)
    rarity = 1.0 + np.log((1.0 + len(found)) / (1.0 + np.minimum(count, len(found))))
    steps: NDArray[np.uint8] = np.round(rarity * (RARITY_STEPS / rarity.max())).astype(np.uint8)
    return steps


class _FeatureRows:
    """A sparse matrix: one row for each message, one column for each bucket and one for the bias."""

    def __init__(self, rows: Sequence[Sequence[tuple[NDArray[np.int64], Floats]]]) -> None:
        parts = [[*row, (np.array([BUCKETS]), np.ones(1))] for row in rows]
        self.columns = np.concatenate([buckets for row in parts for buckets, _ in row])
        self.values = np.concatenate([values for row in parts for _, values in row])
        lengths = [sum(len(buckets) for buckets, _ in row) for row in parts]
        self.starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
        self.row = np.repeat(np.arange(len(parts)), lengths)

    def times(self, weights: Floats) -> Floats:
        """(messages, classes) scores."""
        return np.add.reduceat(self.values[:, None] * weights[self.columns], self.starts, axis=0)

    def transposed_times(self, errors: Floats) -> Floats:
        """(columns, classes): the sum of the errors of the messages, weighed by their values."""
        sums = [
            np.bincount(self.columns, self.values * errors[self.row, at], minlength=BUCKETS + 1)
            for at in range(errors.shape[1])
        ]
        return np.stack(sums, axis=1)


def _loss(point: Floats, rows: _FeatureRows, classes: NDArray[np.int64]) -> tuple[float, Floats]:
    """What is to be made small, and its gradient."""
    weights = point.reshape(-1, len(CLASSES))
    scores = rows.times(weights)
    scores -= scores.max(axis=1, keepdims=True)
    shares = np.exp(scores)
    shares /= shares.sum(axis=1, keepdims=True)
    at = (np.arange(len(classes)), classes)
    decay = weights.copy()
    decay[-1] = 0.0  # the bias is free
    value = -STRENGTH * float(np.log(shares[at] + 1e-12).sum()) + 0.5 * float((decay**2).sum())
    shares[at] -= 1.0
    return value, (STRENGTH * rows.transposed_times(shares) + decay).ravel()


def _minimum(function: Callable[[Floats], tuple[float, Floats]], point: Floats) -> Floats:
    """Where a convex function is least: L-BFGS with backtracking."""
    moves: list[tuple[Floats, Floats]] = []
    value, slope = function(point)
    for _ in range(ROUNDS):
        direction = _direction(slope, moves)
        pace, gain = (1.0 if moves else 1.0 / float(np.linalg.norm(slope))), float(slope @ direction)
        while True:
            ahead = point + pace * direction
            value_ahead, slope_ahead = function(ahead)
            if value_ahead <= value + 1e-4 * pace * gain or pace < 1e-8:
                break
            pace /= 2
        moves = [*moves, (ahead - point, slope_ahead - slope)][-HISTORY:]
        if value - value_ahead < 1e-6 * abs(value):
            return ahead
        point, value, slope = ahead, value_ahead, slope_ahead
    return point


def _direction(slope: Floats, moves: Sequence[tuple[Floats, Floats]]) -> Floats:
    """Where to go: the slope, bent by what the last moves told about the curvature."""
    bent, shares = slope.copy(), []
    for moved, bend in reversed(moves):
        share = float(moved @ bent) / float(moved @ bend)
        shares.append(share)
        bent -= share * bend
    if moves:
        moved, bend = moves[-1]
        bent *= float(moved @ bend) / float(bend @ bend)
    for (moved, bend), share in zip(moves, reversed(shares), strict=True):
        bent += (share - float(bend @ bent) / float(moved @ bend)) * moved
    return -bent


def writers() -> list[Path]:
    """The files of the corpus, one for each writer."""
    return sorted(CORPUS.glob("*.tsv"))


def figures(model: TextClassifier, examples: Sequence[CorpusLine]) -> dict[str, Any]:
    """Shares of each class that are told rightly, and of the others that are taken for instructions."""
    given: dict[Asks, list[Asks]] = {asks: [] for asks in CLASSES}
    for example in examples:
        table = phrase_table(tongues(plain_words(example.text), ENGLISH)[0])
        likely = model.likelihoods(example.text, table)
        shares = (likely.edit, likely.control, likely.help, likely.ignore)
        given[example.asks].append(CLASSES[int(np.argmax(shares))])
    others = [found for asks in CLASSES[1:] for found in given[asks]]
    right = {asks.value: round(found.count(asks) / max(len(found), 1), 4) for asks, found in given.items()}
    return {
        "messages": len(examples),
        "right": right,
        "taken_for_edits": others.count(Asks.EDIT) / len(others),
    }


def main() -> None:
    """Learn, and save or measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--hold-out", choices=[file.stem for file in writers()], metavar="NAME")
    held_out = parser.parse_args().hold_out
    files = [file for file in writers() if file.stem != held_out]
    model = learn(read_corpus(files), fingerprint(files))
    if held_out is None:
        model.save(WEIGHTS)
        found: dict[str, Any] = {"bytes": WEIGHTS.stat().st_size, "corpus": model.corpus}
    else:
        found = figures(model, read_corpus([CORPUS / f"{held_out}.tsv"]))
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    main()
