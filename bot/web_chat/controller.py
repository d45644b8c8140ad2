"""Takes what users do on the page to the workflow as events, and brings back what the page should show.

Holds no edit logic and nothing about users: what a page shows comes from the workflow and the live cards each
time. Knows nothing of HTTP.
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from bot.chat.events import (
    Addressing,
    ButtonAction,
    CompareAsked,
    EditAsked,
    ExportAsked,
    ForgetAsked,
    GridAsked,
    HistoryAsked,
    Move,
    MoveAsked,
    Preset,
    Scope,
    SettingsAsked,
)
from bot.chat.grid_events import CellPicked
from bot.chat.offered_masks import MaskFile, MaskOffer
from bot.chat.offered_pictures import OfferedFile, OfferedPictures, offer_of, offered
from bot.chat.replies import (
    AskTarget,
    Card,
    Comparison,
    Files,
    History,
    Note,
    Reply,
    Sessions,
    SettingsPanel,
)
from bot.chat.session_events import SessionsAsked
from bot.i18n.catalog import ENGLISH
from bot.web_chat.forms import PressedButton
from bot.web_chat.image_responses import ImageFiles
from bot.web_chat.live_cards import LiveCards
from bot.web_chat.page_settings import SAVED_SETTINGS, PageSettings, override_of, settings_of
from bot.web_chat.page_state import PageState, Size
from bot.web_chat.page_update import PageUpdate, choices_of, message_of
from bot.web_chat.samples import Sample
from bot.workflow.button_events import button_event
from bot.workflow.dispatcher import EditWorkflow
from conversations.errors import PictureMissing, SettingsRefused
from conversations.images.marks import Marks
from conversations.intents.intent import sort_text
from conversations.intents.sorted_text import Asks
from conversations.messages import Message
from conversations.request_source import RequestSource
from conversations.settings import AUTO, GUIDANCE, SettingsOverride, checked

NO_COOKIE = Message("page.no_cookie")
PLAIN_ACTS = {  # buttons that stand for an event about a turn
    *(
        "cancel",
        "retry",
        "stronger",
        "subtler",
        "go_to",
        "from_original",
        "delete",
        "do_it",
        "do_other",
        "seeds",
    ),
}
ANSWERED = (Asks.CONTROL, Asks.HELP)  # texts whose answer may be a note, but no refusal


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who asks: the key of a browser, None without a cookie; the language it asks for, and its address."""

    person: str | None
    language: str = ENGLISH
    address: str | None = None  # None: this machine, which says nothing


@dataclass(frozen=True, slots=True)
class Submission:
    """What a user submits. `correction` is what they typed as the expressive instruction of turn `corrects`.

    `region`: where the picture may change.

    Both are "" where nothing was typed: what the page itself put into the field is no correction.
    """

    instruction: str
    correction: str
    corrects: str
    settings: PageSettings
    region: Marks | None = None


class PageController:
    """One for all pages. `defaults` are the model's; only settings that differ from them become overrides."""

    def __init__(
        self,
        workflow: EditWorkflow,
        live_cards: LiveCards,
        image_files: ImageFiles,
        samples: Mapping[str, Sample],
        defaults: PageSettings,
    ) -> None:
        self._workflow = workflow
        self._live_cards = live_cards
        self._image_files = image_files
        self._samples = samples
        self._defaults = defaults

    async def current(self, visitor: Visitor, reply: Reply | None = None) -> PageUpdate:
        """Everything as it stands, with what `reply` has to say."""
        if visitor.person is None:
            return PageUpdate(PageState(), self._live_cards.revision(""), notice=NO_COOKIE)
        revision = self._live_cards.revision(visitor.person)
        history = await self._workflow.handle(HistoryAsked(**_origin(visitor)))
        state = await self._state(visitor.person, history) if isinstance(history, History) else PageState()
        comparison = reply if isinstance(reply, Comparison) else None
        update = PageUpdate(state, revision, message_of(reply), choices_of(reply), comparison=comparison)
        return await self.with_sessions(visitor, update) if isinstance(reply, History) else update

    async def with_sessions(self, visitor: Visitor, update: PageUpdate) -> PageUpdate:
        """The same, with all pictures of this user."""
        update = replace(update, public=await self._workflow.public_lines())
        if visitor.person is None:
            return update
        found = await self._workflow.handle(SessionsAsked(**_origin(visitor)))
        return replace(update, sessions=found.sessions if isinstance(found, Sessions) else ())

    async def compare(self, visitor: Visitor, before: str, after: str) -> PageUpdate:
        """Everything as it stands, and these two turns beside each other."""
        if visitor.person is None:
            return await self.current(visitor)
        asked = CompareAsked(**_origin(visitor), turn=after, other=before)
        return await self.current(visitor, await self._workflow.handle(asked))

    async def refused(self, visitor: Visitor, message: Message) -> PageUpdate:
        """Everything as it stands, and why something was not taken."""
        return await self.current(visitor, Note(message))

    async def card_of(self, visitor: Visitor, turn: str) -> Card | None:
        """The card of a version of the session that the page shows; None if there is none."""
        cards = (await self.current(visitor)).state.cards
        return next((card for card in cards if card.turn_id == turn), None)

    @property
    def samples(self) -> Mapping[str, Sample]:
        """The pictures to try, by name."""
        return self._samples

    @property
    def offers_auto(self) -> bool:
        """Whether the page should offer auto strengths."""
        return self._workflow.offers_auto

    def waiting(self, user: str) -> int:
        """How many edits of a user are not yet started."""
        return self._workflow.waiting(user)

    @property
    def longest_instruction(self) -> int:
        """Characters that an instruction may have."""
        return self._workflow.limits.instruction_chars

    @property
    def defaults(self) -> PageSettings:
        """The default settings of the model."""
        return self._defaults

    async def settings(self, visitor: Visitor) -> PageSettings:
        """The settings as this user left them."""
        if visitor.person is None:
            return self._defaults
        panel = await self._workflow.handle(SettingsAsked(**_origin(visitor)))
        return settings_of(panel, self._defaults) if isinstance(panel, SettingsPanel) else self._defaults

    async def upload(
        self, visitor: Visitor, fetch: Callable[[], Awaitable[bytes]], max_bytes: int | None = None
    ) -> PageUpdate:
        """Begin with an uploaded picture, which may have `max_bytes` if more than usual is allowed.

        `fetch` gives the file, which should not be in memory before.
        """
        if visitor.person is None:
            return await self.current(visitor)
        file = OfferedFile(fetch, max_bytes=max_bytes, origin=visitor.address or "")
        own = offer_of(OfferedPictures((file,)))
        reply = await self._workflow.handle(EditAsked(**_origin(visitor), own=own))
        return await self._changed(visitor, reply if isinstance(reply, Note) else None)

    async def submit(self, visitor: Visitor, submission: Submission) -> PageUpdate:
        """Ask for the words; or, when only the reading was changed, for the last edit, so corrected.

        A correction of any other turn than the one this person stands at comes too late and is left out, and
        so is one that says what the model wrote.
        """
        before, saved = await asyncio.gather(self.current(visitor), self.settings(visitor))
        if visitor.person is None:
            return before
        try:
            checked(override_of(submission.settings))
        except SettingsRefused as error:
            return replace(before, notice=error.message)
        await self._save_settings(visitor, saved, submission.settings)
        words, base = submission.instruction.strip(), before.state.head
        correction = submission.correction.strip()
        if submission.corrects != base or correction == before.reading.strip():
            correction = ""
        mask: MaskOffer | None = submission.region
        if correction and not words and (current := before.state.current) is not None:
            words, base = current.instruction, current.parent
            mask = mask or self._mask_of(current)
        return await self._ask(visitor, words, turn=base, reading=correction or None, mask=mask)

    async def act(self, visitor: Visitor, button: PressedButton) -> PageUpdate:
        """What a pressed button does; those that only change the view do nothing here."""
        if visitor.person is None:
            return await self.current(visitor)
        about, origin = button.about, _origin(visitor)
        match button.act:
            case "say" | "as_typed" as way:
                addressing = Addressing.FORM if way == "say" else Addressing.VERBATIM
                head = (await self.current(visitor)).state.head
                return await self._ask(visitor, about, turn=head, addressing=addressing)
            case "cell":
                turn, _, number = about.partition(".")
                reply = await self._workflow.handle(CellPicked(**origin, turn=turn, cell=int(number)))
            case "sample":
                return await self._try_sample(visitor, about)
            case "undo" | "redo" as move:
                reply = await self._workflow.handle(MoveAsked(**origin, move=Move(move)))
            case "preset":
                asked = SettingsAsked(**origin, scope=Scope.ME, preset=Preset(about))
                reply = await self._workflow.handle(asked)
            case "ask":
                override = SettingsOverride(ask="on" if about == "on" else "off")
                reply = await self._workflow.handle(
                    SettingsAsked(**origin, scope=Scope.ME, override=override)
                )
            case "grid":
                reply = await self._workflow.handle(GridAsked(**origin, turn=about))
            case act if act in PLAIN_ACTS:
                reply = await self._workflow.handle(button_event(ButtonAction(act), about, **origin))
            case "delete_session":
                event = button_event(ButtonAction.DELETE_SESSION, about, **origin)
                reply = await self._workflow.handle(event)
                return await self.with_sessions(visitor, await self._changed(visitor, reply))
            case "forget_me":
                reply = await self._workflow.handle(ForgetAsked(**origin, is_confirmed=True))
                return await self.with_sessions(visitor, await self._changed(visitor, reply))
            case "choose":
                return await self.with_sessions(visitor, await self.current(visitor))
            case _:
                return await self.current(visitor)
        return await self._changed(visitor, reply)

    async def export(self, visitor: Visitor) -> AsyncIterator[bytes] | Message:
        """Everything of this person as a zip, in pieces; or a message."""
        if visitor.person is None:
            return NO_COOKIE
        reply = await self._workflow.handle(ExportAsked(**_origin(visitor)))
        return reply.zips if isinstance(reply, Files) else message_of(reply) or NO_COOKIE

    async def _changed(self, visitor: Visitor, reply: Reply | None) -> PageUpdate:
        """Everything as it stands after an event, which the other pages of this user learn, too."""
        assert visitor.person is not None
        self._live_cards.touch(visitor.person)
        return await self.current(visitor, reply)

    def _mask_of(self, card: Card) -> MaskOffer | None:
        return MaskFile(partial(self._workflow.pictures.file, card.mask)) if card.mask else None

    async def _try_sample(self, visitor: Visitor, about: str) -> PageUpdate:
        """Begin with a sample, and with one of its instructions: "house" or "house/2"."""
        name, _, number = about.partition("/")
        sample = self._samples.get(name)
        if sample is None or int(number or 0) >= len(sample.instructions):
            return await self.current(visitor, Note(Message("page.not_found")))
        words = sample.instructions[int(number)] if number else ""
        own = offered(await asyncio.to_thread(sample.path.read_bytes))
        return await self._ask(visitor, words, own=own)

    async def _ask(
        self, visitor: Visitor, words: str, *, addressing: Addressing = Addressing.FORM, **asked: Any
    ) -> PageUpdate:
        said = sort_text(words, visitor.language, self._workflow.limits.languages)
        reply = await self._workflow.handle(
            EditAsked(**_origin(visitor), text=words, said=said, addressing=addressing, **asked)
        )
        update = await self._changed(visitor, reply)
        is_refused = isinstance(reply, Note | AskTarget) and not update.choices
        return replace(update, is_taken=not is_refused or said.asks in ANSWERED)

    async def _state(self, person: str, history: History) -> PageState:
        cards = tuple(self._live_cards.latest(person, card) for card in history.cards)
        keys = {key for card in cards for key in (card.before, card.after) if key}
        sizes = await asyncio.to_thread(lambda: {key: self._size(key) for key in keys})
        return PageState(cards, history.head, sizes, history.can_redo)

    def _size(self, key: str) -> Size:
        try:
            return self._image_files.size(key)
        except PictureMissing:
            return (1, 1)

    async def _save_settings(self, visitor: Visitor, before: PageSettings, settings: PageSettings) -> None:
        """Override the settings that differ from the model's own, for this user from now on.

        Scales that were left to auto stay so until one of them is moved.
        """
        if settings.has_same_values(before):
            return
        changed: dict[str, Any] = {
            name: getattr(settings, name)
            for name in SAVED_SETTINGS
            if getattr(settings, name) != getattr(self._defaults, name)
        }
        if before.is_auto and (settings.text_cfg, settings.image_cfg) == (before.text_cfg, before.image_cfg):
            changed |= dict.fromkeys(GUIDANCE, AUTO)
        if not before.asks:
            changed["ask"] = "off"
        await self._workflow.handle(
            SettingsAsked(
                **_origin(visitor), scope=Scope.ME, reset=True, override=SettingsOverride(**changed)
            )
        )


def _origin(visitor: Visitor) -> dict[str, Any]:
    """A browser is a person in a channel of its own."""
    return {
        "user": visitor.person,
        "channel": visitor.person,
        "event_id": f"web:e:{secrets.token_urlsafe(12)}",
        "source": RequestSource(language=visitor.language),
    }
