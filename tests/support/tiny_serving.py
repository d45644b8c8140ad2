"""A true MGIE with random weights, small enough for a test."""

import io

import torch
from sentencepiece import SentencePieceProcessor, SentencePieceTrainer

from mgie_engine.checkpoints import native
from mgie_engine.lab.training.mini import tiny_config
from mgie_engine.model.mgie import MGIE
from mgie_engine.text.tokenizer import Tokenizer

SENTENCES = (
    "A chat between a curious user and an artificial intelligence assistant.",
    "USER: what will this image be like if 'make the ball red' ASSISTANT: The ball is red.",
)


def a_tokenizer() -> Tokenizer:
    """A few words and every byte."""
    model = io.BytesIO()
    SentencePieceTrainer.train(
        sentence_iterator=iter(SENTENCES * 20),
        model_writer=model,
        model_type="bpe",
        vocab_size=320,
        byte_fallback=True,
        hard_vocab_limit=False,
        num_threads=1,
        minloglevel=2,
    )
    return Tokenizer(SentencePieceProcessor(model_proto=model.getvalue()))


def a_tiny_mgie() -> MGIE:
    """Always the same random weights, fp32, on the CPU."""
    tokenizer = a_tokenizer()
    config = tiny_config(len(tokenizer))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        networks = native.build(config)
    return native.assemble(config, tokenizer, networks)
