"""The vocabulary of the small model: a sentencepiece BPE over the texts of the scene grammar.

Settings follow the LLaMA tokenizer: byte fallback, single digits, no normalisation, a blank before the first
word.
"""

from collections.abc import Iterator
from pathlib import Path

import sentencepiece

from mgie_engine.lab.scenes.stories import story

PIECES = 2048


def train_vocabulary(folder: Path, stories: int = 20_000) -> None:
    """Write `tokenizer.model` with 2,048 pieces into `folder`; the same input gives the same file."""
    folder.mkdir(parents=True, exist_ok=True)
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=_sentences(stories),
        model_prefix=str(folder / "tokenizer"),
        model_type="bpe",
        vocab_size=PIECES,
        byte_fallback=True,
        split_digits=True,
        normalization_rule_name="identity",
        remove_extra_whitespaces=False,
        character_coverage=1.0,
        hard_vocab_limit=False,
        unk_id=0,
        bos_id=1,
        eos_id=2,
        pad_id=-1,
        num_threads=1,
        minloglevel=2,
    )
    (folder / "tokenizer.vocab").unlink()


def _sentences(stories: int) -> Iterator[str]:
    yield from ("USER: what will this image be like if ' ASSISTANT:",) * 50
    yield from _SYSTEM_WORDS * 50
    for seed in range(stories):
        for step in story(seed, "train").steps:
            yield step.edit.instruction
            yield step.edit.expressive


_SYSTEM_WORDS = (
    "A chat between a curious user and an artificial intelligence assistant.",
    "The assistant gives helpful, detailed, and polite answers to the user's questions.",
)
