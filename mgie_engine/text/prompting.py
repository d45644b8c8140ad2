"""Prompts as token ids, the same for training and inference: an instruction and the conversation before it.

The template is vicuna_v1_1; only the last turn shows the picture. In serving, users' text is plain text; the
release turns special strings in it into tokens.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from conversations.llava.conversation import IMAGE_TOKEN, Conversation
from conversations.llava.templates import template
from mgie_engine.config import Behaviour
from mgie_engine.edits import Exchange
from mgie_engine.text.tokenizer import END, PATCH, START, Tokenizer

TEMPLATE = "vicuna_v1_1"
IGNORED = -100  # label of a token without a loss
_ANSWER = " ASSISTANT: "  # separator at which the release splits a training text


@dataclass(frozen=True, slots=True)
class Prompt:
    """An instruction, the exchanges before it (oldest first), and an optional expressive instruction."""

    instruction: str
    history: tuple[Exchange, ...] = ()
    reading: str | None = None  # an expressive instruction in place of the model's own; in serving only
    wants_other: bool = False  # a second reading, too, where the first is less sure than the model's bound


@dataclass(frozen=True, slots=True)
class Example:
    """One training sequence: ids and labels of equal length."""

    ids: list[int]
    labels: list[int]


@dataclass(frozen=True)
class Prompter:
    """Builds the prompts of one model."""

    tokenizer: Tokenizer
    image_tokens: int  # patches of a picture
    history_turns: int = 0  # earlier turns the model was trained with
    behaviour: Behaviour = Behaviour.SERVING

    def text(self, prompt: Prompt) -> str:
        """The prompt as one string, up to and including "ASSISTANT:"."""
        return self._conversation(prompt, None).get_prompt()

    def ids(self, prompt: Prompt) -> list[int]:
        """The prompt as token ids, for generation."""
        return self.tokenizer.encode(self.text(prompt))

    def answer(self, expressive: str) -> list[int]:
        """Ids that continue a prompt: the expressive instruction, the visual tokens, </s>."""
        return [*self.tokenizer.encode_plain(expressive.strip()), *self.tokenizer.visual, self.tokenizer.end]

    def example(self, prompt: Prompt, expressive: str, max_length: int = 512) -> Example:
        """A training sequence with a loss on the last answer, cut off at max_length.

        As in the release, RELEASE behaviour has a loss on every answer, or on none if its count of tokens
        does not match the text.
        """
        if self.behaviour is Behaviour.RELEASE:
            return self._release_example(prompt, expressive, max_length)
        known, taught = self.ids(prompt), self.answer(expressive)
        labels = [IGNORED] * len(known) + taught
        return Example((known + taught)[:max_length], labels[:max_length])

    def _conversation(self, prompt: Prompt, answer: str | None) -> Conversation:
        talk = template(TEMPLATE)
        turns = prompt.history[-self.history_turns :] if self.history_turns else ()
        for turn in turns:
            talk.append_message(talk.roles[0], question(self._typed(turn.instruction)))
            talk.append_message(talk.roles[1], self._typed(turn.expressive or turn.instruction))
        picture = "\n" + START + PATCH * self.image_tokens + END
        talk.append_message(talk.roles[0], question(self._typed(prompt.instruction)) + picture)
        talk.append_message(talk.roles[1], answer)
        return talk

    def _typed(self, text: str) -> str:
        return text if self.behaviour is Behaviour.RELEASE else self.tokenizer.shield(text)

    def _release_example(self, prompt: Prompt, expressive: str, max_length: int) -> Example:
        """The published preprocessing: masks every question by counting its tokens."""
        visual = " ".join(f"[IMG{i}]" for i in range(len(self.tokenizer.visual)))
        talk = self._conversation(prompt, f"{expressive} {visual}")
        picture = START + PATCH * self.image_tokens + END
        text = talk.get_prompt().replace(IMAGE_TOKEN, picture)
        ids = self.tokenizer.encode(text)[:max_length]
        return Example(ids, self._release_labels(ids, text.split(talk.sep2 or ""), max_length))

    def _release_labels(self, ids: list[int], rounds: Sequence[str], max_length: int) -> list[int]:
        labels, place = list(ids), 1
        labels[:1] = [IGNORED]
        for spoken in rounds:
            asked, *answers = spoken.split(_ANSWER)
            if len(answers) != 1:
                break
            masked = len(self.tokenizer.encode(asked + _ANSWER)) - 2  # neither <s> nor the trailing blank
            labels[place : place + masked] = [IGNORED] * len(labels[place : place + masked])
            place += len(self.tokenizer.encode(spoken))
        labels[place:] = [IGNORED] * len(labels[place:])
        real = sum(token != self.tokenizer.unknown for token in ids)
        upset = place < max_length and place != real
        return [IGNORED] * len(ids) if upset else labels


def picture_start(ids: Sequence[int], tokenizer: Tokenizer, image_tokens: int) -> int:
    """The place of the first patch in ids.

    ValueError, with the published code's words, when a picture is not start, `image_tokens` patches, end.
    """
    starts = [at for at, token in enumerate(ids) if token == tokenizer.picture_start]
    if len(starts) != sum(token == tokenizer.picture_end for token in ids):
        raise ValueError("The number of image start tokens and image end tokens should be the same.")
    for at in starts:
        if list(ids[at + image_tokens + 1 :][:1]) != [tokenizer.picture_end]:
            raise ValueError("The image end token should follow the image start token.")
    return starts[0] + 1


def question(instruction: str) -> str:
    """The user's side of a turn."""
    return f"what will this image be like if '{instruction}'"
