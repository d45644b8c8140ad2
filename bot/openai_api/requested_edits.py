"""Asks the workflow for the edits of one request, and follows their cards."""

import secrets
from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from bot.chat.events import Addressing, CancelAsked, EditAsked
from bot.chat.offered_masks import MaskFile, mask_file
from bot.chat.offered_pictures import offered
from bot.chat.replies import Accepted, Card, CardState, Note
from bot.openai_api.api_chat import NAME, ApiChat
from bot.openai_api.api_errors import ApiError, refusal
from bot.openai_api.edit_form import EditOrder
from bot.workflow.dispatcher import EditWorkflow
from conversations.intents.intent import sort_text
from conversations.intents.sorted_text import Asks
from conversations.messages import Message
from conversations.request_source import RequestSource
from conversations.settings import SettingsOverride

SEEDS = 1_000_000
NO_WORDS = Message("no_words")


@dataclass(frozen=True, slots=True)
class Preview:
    """A small WebP of an edit on its way."""

    webp: bytes


@dataclass(frozen=True, slots=True)
class Finished:
    """A result: which of the request's edits, the key of its picture, and how it was understood."""

    number: int
    image: str
    expressive: str
    confidence: float | None  # how sure the model was, 0 to 1


class Edits:
    """The edits of one request: `n` of one picture, each with a seed of its own.

    At most as many of them wait at once as one user may have waiting.
    """

    def __init__(self, workflow: EditWorkflow, chat: ApiChat, user: str, order: EditOrder) -> None:
        self._workflow = workflow
        self._chat = chat
        self._form = order.form
        self._picture = order.image
        self._mask = None if order.mask is None else mask_file(order.mask)
        self._origin: dict[str, Any] = {"user": user, "channel": f"{NAME}:{secrets.token_hex(8)}"}
        seed = order.form.seed
        self._first_seed = secrets.randbelow(SEEDS) if seed is None else seed
        self._upload: str | None = None  # turn id of the picture, once it is stored
        self._unfinished: dict[str, int] = {}  # number of the edit, by turn id

    async def follow(self) -> AsyncGenerator[Preview | Finished, None]:
        """What happens, until every edit has its result; ApiError when one has none.

        Those that are unfinished when the caller stops listening are cancelled: close the iterator.
        """
        asked = done = 0
        at_once = self._workflow.limits.waiting_per_person
        with self._chat.cards_of(self._origin["channel"]) as cards:
            try:
                while done < self._form.n:
                    while asked < self._form.n and len(self._unfinished) < at_once:
                        await self._ask(asked)
                        asked += 1
                    card = await cards.get()
                    if card.preview is not None:
                        yield Preview(card.preview)
                    if card.state.is_final and card.turn_id in self._unfinished:
                        done += 1
                        yield _finished(card, self._unfinished.pop(card.turn_id))
            finally:
                for turn in self._unfinished:
                    await self._workflow.handle(CancelAsked(**self._event(), turn=turn))

    async def _ask(self, number: int) -> None:
        form, languages = self._form, self._workflow.limits.languages
        # The program says that it is an instruction; in which language it is, is asked as for everybody.
        said = replace(sort_text(form.prompt, self._source.language, languages), asks=Asks.EDIT)
        override = SettingsOverride(
            seed=self._first_seed + number,
            steps=form.steps,
            text_cfg=form.text_cfg,
            image_cfg=form.image_cfg,
            ask="off",  # a program cannot answer
        )
        event = EditAsked(
            **self._event(),
            text=form.prompt,
            said=replace(said, command=None, other=None, is_pointing=False, amendment=None),
            addressing=Addressing.FORM,
            override=override,
            reading=form.reading,
            turn=self._upload,
            own=offered(self._picture) if self._upload is None else None,
            mask=self._mask,
        )
        reply = await self._workflow.handle(event)
        if not isinstance(reply, Accepted):
            raise refusal(reply.text, reply.buttons) if isinstance(reply, Note) else refusal(NO_WORDS)
        self._upload, self._picture = reply.card.parent, b""  # they are stored now
        if reply.card.mask is not None:
            self._mask = MaskFile(partial(self._workflow.pictures.file, reply.card.mask))
        self._unfinished[reply.card.turn_id] = number

    @property
    def _source(self) -> RequestSource:
        return RequestSource(channel=self._origin["channel"])

    def _event(self) -> dict[str, Any]:
        return {**self._origin, "event_id": f"{NAME}:e:{secrets.token_urlsafe(12)}", "source": self._source}


def _finished(card: Card, number: int) -> Finished:
    if card.state is CardState.DONE and card.after is not None:
        return Finished(number, card.after, card.expressive or "", card.confidence)
    message = card.status or Message("failed")
    if card.is_answer:
        raise refusal(message, card.buttons)
    if card.state is CardState.CANCELLED:
        raise ApiError(409, "The edit was cancelled.", code="cancelled")
    raise ApiError(500, str(refusal(message)), kind="server_error", code=message.code)
