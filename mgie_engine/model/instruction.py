"""Reading an instruction with its picture: the expressive instruction, and what becomes guidance.

The state *before* a token predicts it. Guidance is made from the eight states that predict [IMG0]…[IMG7].
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from conversations.messages import Message
from mgie_engine.config import ModelConfig
from mgie_engine.errors import RequestRefused
from mgie_engine.model.confidence import TokenChoice, sureness
from mgie_engine.model.greedy import Rows, WritingRules, write
from mgie_engine.model.mllm import MLLM
from mgie_engine.text.cleanup import is_gibberish, remove_alter, tidy
from mgie_engine.text.intricate import bound_of
from mgie_engine.text.prompt_room import with_room
from mgie_engine.text.prompting import Prompt, Prompter, picture_start
from mgie_engine.text.spelling import corrected


@dataclass(frozen=True, slots=True)
class Thought:
    """What the language model made of one prompt."""

    ids: list[int]  # what it wrote, token by token
    states: Tensor  # (8, D), those that predict the visual tokens
    expressive: str = ""
    notes: tuple[Message, ...] = ()
    confidence: float | None = None  # probability of what changes, 0 to 1; None: it was not asked
    other_start: tuple[int, ...] = ()  # the tokens that the second-best text begins with
    others: tuple[str, ...] = ()  # other expressive instructions, the likeliest first


Thinking = Generator[None, None, list[Thought]]  # yields after each token


@dataclass(frozen=True)
class Reader:
    """Reads with one language model."""

    mllm: MLLM
    prompter: Prompter
    config: ModelConfig

    def read(self, pixels: Tensor, prompts: Sequence[Prompt]) -> Thinking:
        """Read prompts with pictures pixels (B, 3, H, W); a step per token.

        A reading that comes with the prompt is used as it is. Where the model writes nothing or gibberish,
        the instruction is the reading, and a note says so. Of the exchanges before an instruction the oldest
        are left out until the prompt fits; RequestRefused if it does not without any.
        """
        prompts = [with_room(self.spelt(prompt), self.prompter, self.config) for prompt in prompts]
        given = [row for row, prompt in enumerate(prompts) if prompt.reading is not None]
        open_ = [row for row, prompt in enumerate(prompts) if prompt.reading is None]
        thoughts: dict[int, Thought] = {}
        if open_:
            written = yield from self._write(pixels[open_], [prompts[row] for row in open_])
            thoughts |= dict(zip(open_, written, strict=True))
            for row in open_:
                if self.seeks_other(prompts[row], thoughts[row], self.config.language.max_positions):
                    other = yield from self._other(pixels[row : row + 1], prompts[row], thoughts[row])
                    thoughts[row] = self.with_other(thoughts[row], other)
        unclear = [row for row in open_ if not thoughts[row].expressive]
        readings = {row: prompts[row].reading or prompts[row].instruction for row in (*given, *unclear)}
        for row, reading in readings.items():
            note = (Message("note_as_written"),) if row in unclear else ()
            thoughts[row] = self._follow(pixels[row : row + 1], prompts[row], reading, note)
        return [thoughts[row] for row in range(len(prompts))]

    def spelt(self, prompt: Prompt) -> Prompt:
        """The prompt as it is read: without plainly mistyped words, for a model that wants that."""
        if not self.config.corrects_typos:
            return prompt
        return replace(prompt, instruction=corrected(prompt.instruction))

    def read_as_release(self, pixels: Tensor, prompts: Sequence[Prompt]) -> Thinking:
        """Read as the published demo does: write to </s> or the limit, then look for [IMG0] in everything.

        ValueError for picture tokens inside an instruction. `expressive` is left empty: see `release_text`.
        """
        tokenizer = self.prompter.tokenizer
        rows = self._rows(pixels, [self.prompter.ids(prompt) for prompt in prompts])
        rules = WritingRules(
            self.config.max_new_tokens, frozenset({tokenizer.end}), (), self.config.no_repeat_ngram
        )
        written = yield from write(rows, rules)
        ids = [[choice.token for choice in choices] for choices in written]
        return [self._release_thought(rows, row, tokens) for row, tokens in enumerate(ids)]

    def release_text(self, prompt: Prompt, thought: Thought) -> str:
        """The text the published demo shows; IndexError where it crashes."""
        ids = self.prompter.ids(prompt) + thought.ids
        return remove_alter(self.prompter.tokenizer.decode(ids))

    def _write(self, pixels: Tensor, prompts: Sequence[Prompt]) -> Thinking:
        """Write until a visual token or </s> would follow, then put the visual tokens there."""
        rows = self._rows(pixels, [self.prompter.ids(prompt) for prompt in prompts])
        written = yield from write(rows, self._rules())
        states = self._force(rows)
        return [self.thought(choices, states[row]) for row, choices in enumerate(written)]

    def seeks_other(self, prompt: Prompt, thought: Thought, room: int) -> bool:
        """Whether a second reading is wanted: the first does something, and is less sure than the bound.

        `room`: tokens that a prompt, its answer and the visual tokens may have; longer ones get none.
        """
        if not prompt.wants_other or not thought.other_start or thought.confidence is None:
            return False
        declines = bool(self.config.refusal) and thought.expressive.startswith(self.config.refusal)
        if declines or thought.confidence >= bound_of(prompt.instruction, self.config):
            return False
        length = len(self.prompter.ids(prompt)) + len(thought.other_start) + self.config.max_new_tokens
        return length + len(self.prompter.tokenizer.visual) <= room

    def with_other(self, thought: Thought, other: str) -> Thought:
        """The thought with a second reading beside it, if that says something else and does something."""
        declines = bool(self.config.refusal) and other.startswith(self.config.refusal)
        return thought if declines or other in ("", thought.expressive) else replace(thought, others=(other,))

    def _other(self, pixels: Tensor, prompt: Prompt, thought: Thought) -> Generator[None, None, str]:
        """What the model writes after the second-best token at its least sure place."""
        start = list(thought.other_start)
        (choices,) = yield from write(self._rows(pixels, [self.prompter.ids(prompt) + start]), self._rules())
        return self.text_of([*start, *(choice.token for choice in choices)])

    def _follow(self, pixels: Tensor, prompt: Prompt, reading: str, notes: tuple[Message, ...]) -> Thought:
        """Go along with a reading as if the model had written it."""
        ids = self.prompter.tokenizer.encode_plain(reading.strip())
        rows = self._rows(pixels, [self.prompter.ids(prompt) + ids])
        return Thought(ids, self._force(rows)[0], reading.strip(), notes)

    def _force(self, rows: Rows) -> Tensor:
        """Put the visual tokens after every row in one pass: the states (B, 8, D) that predict them."""
        before = rows.last[:, None]
        visual = list(self.prompter.tokenizer.visual[:-1])
        if not visual:
            return before
        after = rows.feed([visual] * len(rows.prompts), [True] * len(rows.prompts))
        return torch.cat([before, after], dim=1)

    def thought(self, choices: Sequence[TokenChoice], states: Tensor) -> Thought:
        """What was written, and how sure that is."""
        ids, stops = [choice.token for choice in choices], self._rules().stops
        words = [choice for choice in choices if choice.token not in stops]
        sure = sureness(words, self.prompter.tokenizer.decode)
        text = self.text_of(ids)
        if sure is None:
            return Thought(ids, states, text, confidence=0.0)
        second = words[sure.least_sure].second
        start = () if second in stops else (*ids[: sure.least_sure], second)
        return Thought(ids, states, text, confidence=sure.probability, other_start=start)

    def text_of(self, ids: Sequence[int]) -> str:
        """The expressive instruction of tokens; "" for gibberish."""
        words = [token for token in ids if token not in self._rules().stops]
        text = tidy(self.prompter.tokenizer.decode(words))
        return "" if is_gibberish(text) else text

    def _release_thought(self, rows: Rows, row: int, ids: list[int]) -> Thought:
        out = [*rows.prompts[row], *ids]
        states = rows.states(row, len(out) - 1)  # the last token has none
        visual = self.prompter.tokenizer.visual
        latest = len(states) - len(visual) - 1
        at = min(out.index(visual[0]) - 1, latest) if visual[0] in out else latest
        return Thought(ids, states[at : at + len(visual)])

    def _rules(self) -> WritingRules:
        tokenizer = self.prompter.tokenizer
        stops = frozenset({tokenizer.end, tokenizer.visual[0]})
        never = {tokenizer.unknown, tokenizer.begin, *tokenizer.added.values()} - stops
        return WritingRules(
            self.config.max_new_tokens, stops, tuple(sorted(never)), self.config.no_repeat_ngram
        )

    def _rows(self, pixels: Tensor, prompts: Sequence[list[int]]) -> Rows:
        tokenizer, room = self.prompter.tokenizer, self.config.language.max_positions
        for ids in prompts:
            if (too_many := len(ids) + self.config.max_new_tokens + len(tokenizer.visual) - room) > 0:
                raise RequestRefused(
                    f"the instruction is too long by {too_many} tokens",
                    Message("too_many_tokens", count=too_many),
                )
        starts = [picture_start(ids, tokenizer, self.prompter.image_tokens) for ids in prompts]
        return Rows(self.mllm, prompts, pixels, starts)
