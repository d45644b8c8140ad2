"""Paragraphs made short by a sequence-to-sequence model, as the release has its training texts shortened."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

from mgie_engine.lab.pretrained import load_pretrained

RELEASED_SUMMARISER = "jordiclive/flan-t5-11b-summarizer-filtered"  # no commit of it is known to us
_ASK = "summarize the following paragraph in 32 words:\n\n"
_TAUGHT = ("length_penalty", "early_stopping")


@dataclass(frozen=True)
class Seq2Seq:
    """A summariser of transformers. `taught` are the model's own settings for summarising, if it has any."""

    name: str
    model: Any
    tokenizer: Any
    taught: Mapping[str, Any] = field(default_factory=dict)

    @torch.inference_mode()
    def summarise(self, texts: Sequence[str]) -> list[str]:
        """Summaries of 5 to 64 tokens by five beams; no three tokens stand in one twice."""
        asked = [self.taught.get("prefix", "") + _ASK + text for text in texts]
        inputs = self.tokenizer(asked, return_tensors="pt", padding=True, truncation=True)
        found = self.model.generate(
            **inputs.to(self.model.device),
            num_beams=5,
            min_length=5,
            max_length=64,
            do_sample=False,
            no_repeat_ngram_size=3,
            **{name: self.taught[name] for name in _TAUGHT if name in self.taught},
        )
        return list(self.tokenizer.batch_decode(found, skip_special_tokens=True))


def load_summariser(name: str, device: str, dtype: torch.dtype) -> Seq2Seq:
    """A summariser from a folder or the hub, as by `load_pretrained`; ModelError if it is not there.

    Settings under task_specific_params.summarization, as T5 has them, are used like the pipeline of
    transformers 4 used them; lengths, beams and repeats are the release's all the same.
    """
    tokenizer = load_pretrained("The summariser", AutoTokenizer, name)
    model = load_pretrained("The summariser", AutoModelForSeq2SeqLM, name, dtype=dtype).to(device).eval()
    tasks = getattr(model.config, "task_specific_params", None) or {}
    return Seq2Seq(name, model, tokenizer, tasks.get("summarization", {}))
