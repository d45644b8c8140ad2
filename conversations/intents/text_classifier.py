"""Tells instructions, commands, questions about the bot and chatter apart, by weights learned from a corpus.

A linear model over the features of a text: one weight for each bucket and class. `training.py` makes the
file of weights.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from conversations.intents.phrase_tables import PhraseTable
from conversations.intents.sorted_text import Asks
from conversations.intents.text_features import GROUP_WEIGHTS, Features, features_of

WEIGHTS = Path(__file__).parent / "weights.npz"
CLASSES = (Asks.EDIT, Asks.CONTROL, Asks.HELP, Asks.IGNORE)


@dataclass(frozen=True, slots=True)
class Likelihoods:
    """How likely each meaning of a text is; the four sum to 1."""

    edit: float
    control: float
    help: float
    ignore: float


@dataclass(frozen=True, slots=True)
class TextClassifier:
    """weights: (buckets, 4) int8, in steps of `step` (4); bias: (4); rarity: (buckets) uint8, in steps.

    `corpus`: a hash of the corpus and the settings that it was learned with.
    """

    weights: NDArray[np.int8]
    step: NDArray[np.float32]
    bias: NDArray[np.float32]
    rarity: NDArray[np.uint8]
    corpus: str

    def likelihoods(self, text: str, table: PhraseTable) -> Likelihoods:
        """Those of a text without markup. `table`: of its language."""
        scores = self.bias.astype(np.float64)
        for buckets, values in weighed(features_of(text, table), self.rarity):
            scores += values @ self.weights[buckets] * self.step
        shares = np.exp(scores - scores.max())
        return Likelihoods(*(shares / shares.sum()).tolist())

    def save(self, file: Path) -> None:
        """Write the weights."""
        parts = {name: getattr(self, name) for name in ("weights", "step", "bias", "rarity")}
        np.savez_compressed(file, **parts, corpus=np.array(self.corpus))

    @classmethod
    def load(cls, file: Path) -> "TextClassifier":
        """The saved weights; nothing in the file is run."""
        with np.load(file, allow_pickle=False) as saved:
            return cls(saved["weights"], saved["step"], saved["bias"], saved["rarity"], str(saved["corpus"]))


def weighed(
    features: Features, rarity: NDArray[np.uint8]
) -> list[tuple[NDArray[np.int64], NDArray[np.float64]]]:
    """The features of each group with their values: rare ones weigh more, and each group has its length."""
    found = []
    for buckets, weight in zip(features, GROUP_WEIGHTS, strict=True):
        values = rarity[buckets].astype(np.float64)
        found.append((buckets, values * (weight / max(float(np.linalg.norm(values)), 1.0))))
    return found


@cache
def text_classifier() -> TextClassifier:
    """The weights that are shipped."""
    return TextClassifier.load(WEIGHTS)
