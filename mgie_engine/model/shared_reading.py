"""Reading several instructions in one decode: each joins and leaves at any token.

A reader is a generator that pauses after every token. The first that is advanced decodes the next few tokens
for everybody, and the others find theirs waiting. One more is always on its way, so that the device has work
while what was chosen is looked at.
"""

from collections import deque
from collections.abc import Generator
from dataclasses import dataclass, field

import torch
from torch import Tensor

from conversations.messages import Message
from mgie_engine.model.confidence import TokenChoice
from mgie_engine.model.instruction import Reader, Thought
from mgie_engine.model.static_decode import StaticDecoder
from mgie_engine.text.prompting import Prompt, picture_start

# Tokens launched when one looks at what was chosen, but for the last: more overshoot the end.
BURST = 3


@dataclass(eq=False, slots=True)
class Row:
    """A row of the decode while a reader has it."""

    number: int
    choices: deque[TokenChoice] = field(default_factory=deque)  # not yet taken
    decodes: bool = False
    launched: int = 0  # tokens


@dataclass(frozen=True, slots=True)
class LaunchedToken:
    """A token of all rows that decode, on its way."""

    choices: Tensor  # (R, 3), there once it is `done`
    rows: tuple[Row, ...]
    done: torch.cuda.Event | None  # None: it is there


class SharedReader:
    """Reads with one static decoder; prompts that do not fit its cache are left to `Reader`."""

    def __init__(self, reader: Reader, decoder: StaticDecoder, burst: int = BURST) -> None:
        self._reader, self._decoder, self._burst = reader, decoder, burst
        self._rows: list[Row | None] = [None] * decoder.rows
        self._launched: deque[LaunchedToken] = deque()

    def fits(self, prompt: Prompt) -> bool:
        """Whether the prompt, its answer and the visual tokens have room in a slot of the cache."""
        tokenizer = self._reader.prompter.tokenizer
        length = len(self._reader.prompter.ids(self._reader.spelt(prompt)))
        if prompt.reading is not None:
            length += len(tokenizer.encode_plain(prompt.reading.strip()))
        longest = length + self._reader.config.max_new_tokens + len(tokenizer.visual) + self._burst
        return longest <= self._decoder.length and len(tokenizer.visual) <= self._decoder.rows

    def read(self, pixels: Tensor, prompt: Prompt) -> Generator[None, None, Thought]:
        """Read one prompt with its picture's pixels (1, 3, H, W); as `Reader.read`, which it must fit."""
        prompt = self._reader.spelt(prompt)
        if prompt.reading is not None:
            return (yield from self._follow(pixels, prompt, prompt.reading, ()))
        thought = yield from self._think(pixels, self._reader.prompter.ids(prompt))
        if not thought.expressive:
            note = (Message("note_as_written"),)
            return (yield from self._follow(pixels, prompt, prompt.instruction, note))
        if not self._reader.seeks_other(prompt, thought, self._decoder.length - self._burst):
            return thought
        start = thought.other_start
        other = yield from self._think(pixels, [*self._reader.prompter.ids(prompt), *start])
        return self._reader.with_other(thought, self._reader.text_of([*start, *other.ids]))

    def _think(self, pixels: Tensor, ids: list[int]) -> Generator[None, None, Thought]:
        """Continue ids until the model stops."""
        row = yield from self._wait_for_row()
        try:
            self._prefill(row, ids, pixels)
            self._decoder.occupy(row.number, len(ids) - 1)
            row.decodes = True
            yield  # so that all who come at once are there before the first token of any
            written = yield from self._write(row)
            stops = self._reader._rules().stops
            words = [choice.token for choice in written if choice.token not in stops]
            states = self._visual_states(row, [*ids, *words])
        finally:
            self._leave(row)
        return self._reader.thought(written, states)

    def _follow(
        self, pixels: Tensor, prompt: Prompt, reading: str, notes: tuple[Message, ...]
    ) -> Generator[None, None, Thought]:
        """Go along with a reading as if the model had written it."""
        written = self._reader.prompter.tokenizer.encode_plain(reading.strip())
        ids = [*self._reader.prompter.ids(prompt), *written]
        row = yield from self._wait_for_row()
        try:
            self._prefill(row, ids, pixels)
            return Thought(written, self._visual_states(row, ids), reading.strip(), notes)
        finally:
            self._leave(row)

    def _write(self, row: Row) -> Generator[None, None, list[TokenChoice]]:
        rules, written = self._reader._rules(), list[TokenChoice]()
        while len(written) < rules.limit:
            while not row.choices:  # what was on its way when the row joined is not for it
                self._decode(rules.limit)
            written.append(row.choices.popleft())
            if written[-1].token in rules.stops:
                break
            yield
        return written

    def _decode(self, limit: int) -> None:
        """The next few tokens of every row; `limit`: of a text."""
        while (more := self._wants_more(limit)) and len(self._launched) < self._burst:
            self._launched.append(self._launch())
        for _ in range(max(1, len(self._launched) - more)):
            token = self._launched.popleft()
            if token.done is not None:
                token.done.synchronize()
            for row in token.rows:
                if row.decodes:
                    chosen, probability, second = token.choices[row.number].tolist()
                    row.choices.append(TokenChoice(int(chosen), probability, int(second)))

    def _wants_more(self, limit: int) -> bool:
        """Whether the text of any row may go on after all tokens that were launched."""
        return any(row is not None and row.decodes and row.launched < limit for row in self._rows)

    def _launch(self) -> LaunchedToken:
        self._decoder.choose_next()
        choices = self._decoder.choices.to("cpu", non_blocking=True, copy=True)
        done = None
        if self._decoder.choices.is_cuda:
            done = torch.cuda.Event()  # type: ignore[no-untyped-call]
            done.record()
        rows = tuple(row for row in self._rows if row is not None and row.decodes)
        for row in rows:
            row.launched += 1
        return LaunchedToken(choices, rows, done)

    def _prefill(self, row: Row, ids: list[int], pixels: Tensor) -> None:
        prompter = self._reader.prompter
        at = picture_start(ids, prompter.tokenizer, prompter.image_tokens)
        self._decoder.prefill(torch.tensor(ids), pixels, at, row.number, len(ids))

    def _visual_states(self, row: Row, ids: list[int]) -> Tensor:
        """The states (8, D) that predict the visual tokens after ids."""
        row.decodes = False
        self._decoder.vacate(row.number)
        visual = self._reader.prompter.tokenizer.visual
        return self._decoder.states(row.number, len(ids) - 1, [ids[-1], *visual[:-1]])

    def _wait_for_row(self) -> Generator[None, None, Row]:
        while None not in self._rows:
            yield
        number = self._rows.index(None)
        row = self._rows[number] = Row(number)
        return row

    def _leave(self, row: Row) -> None:
        self._rows[row.number] = None
        if row.decodes:
            self._decoder.vacate(row.number)
