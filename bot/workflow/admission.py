"""Taking edits in: do the rules allow it, which picture does it start from; saved before it is answered."""

import asyncio
import secrets
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import asdict, replace
from typing import Any
from weakref import WeakValueDictionary

from bot.chat.cards import card_of
from bot.chat.events import ButtonAction, EditAsked, GridAsked, Variation, VariationAsked, Work
from bot.chat.replies import Accepted, Note, Reply, Say, ShownVersion, buttons
from bot.ops.metrics import Metrics
from bot.policy.limits import Limits, RateLimiter, objection_to_queueing, objection_to_words
from bot.policy.server_settings import (
    ServerSettings,
    ServerSettingsStore,
    objection_of_server,
    objection_to_quota,
)
from bot.workflow.consents import Consents
from bot.workflow.runner import TurnRunner
from bot.workflow.settings_layers import checked_grid, grid_around, varied_override
from bot.workflow.settings_panel import layers
from bot.workflow.targets import (
    Target,
    ask_target,
    current_version,
    is_recent,
    named_version,
    shown_version,
    target_of,
)
from conversations.errors import DuplicateEvent
from conversations.images.image_store import ImageStore, read_picture
from conversations.session import EditSession, Turn, TurnDraft
from conversations.settings import NO_OVERRIDE, SettingsOverride, checked
from conversations.store.session_store import SessionStore
from mgie_engine.config import Defaults
from mgie_engine.strengths import preset_override

SEEDS = 1_000_000  # fresh seeds are below this, short enough to read out
COUNTED = 1000  # newest turns of a person looked through for those of a day


class BlockedImage(Exception):
    """An uploaded picture is like one that moderators removed; `mark` is of that one."""

    def __init__(self, image_hash: str) -> None:
        super().__init__(image_hash)
        self.image_hash = image_hash


class Admission:
    """Turns what people ask into saved turns, and hands these to the runner."""

    def __init__(
        self,
        store: SessionStore,
        images: ImageStore,
        runner: TurnRunner,
        consents: Consents,
        defaults: Defaults,
        limits: Limits,
        metrics: Metrics,
        *,
        clock: Callable[[], float] = time.time,
        draw_seed: Callable[[], int] = lambda: secrets.randbelow(SEEDS),
    ) -> None:
        """`clock` gives Unix seconds and must be the store's; `draw_seed` a seed where nobody wished one."""
        self._store = store
        self._images = images
        self._runner = runner
        self._consents = consents
        self._server_settings = ServerSettingsStore(store)
        self._defaults = defaults
        self._limits = limits
        self._metrics = metrics
        self._clock = clock
        self._draw_seed = draw_seed
        self._rate_limits: dict[str, RateLimiter] = {}
        self._entering: Counter[str] = Counter()  # by person: edits on their way into the line
        self._counts = WeakValueDictionary[tuple[str, str | None], asyncio.Lock]()

    async def admit(self, asked: Work, *, is_allowed: bool = False) -> Reply:
        """Take an edit in if it is new and the rules allow it; `is_allowed` by the owner of the picture."""
        if await self._store.was_seen(asked.event_id):
            raise DuplicateEvent(asked.event_id)
        rules = await self._server_settings.rules(asked.server)
        async with self._counting(asked, rules):
            return await self._admit(asked, rules, is_allowed)

    async def _admit(self, asked: Work, rules: ServerSettings, is_allowed: bool) -> Reply:
        over_quota = await self._over_quota(asked, rules)
        # From here to the count below nothing is awaited, so that nobody slips through between the two.
        if objection := objection_of_server(asked, rules) or over_quota or self._objection(asked, rules):
            reason, sentence = objection
            self._metrics.edits_dropped.labels(reason).inc()
            return Note(
                sentence, buttons=buttons(ButtonAction.MY_EDITS) if reason in ("line", "quota") else ()
            )
        self._entering[asked.person] += 1
        try:
            return await self._taken_in(asked, rules, is_allowed)
        except BlockedImage as barred:
            self._metrics.filtered.labels("input").inc()
            return Note(Say.PICTURE_BARRED(), buttons=buttons(ButtonAction.APPEAL), about=barred.image_hash)
        finally:
            self._entering[asked.person] -= 1
            self._entering = +self._entering

    def _counting(self, asked: Work, rules: ServerSettings) -> AbstractAsyncContextManager[Any]:
        """Where a house counts a person's edits, one is saved before the next is counted."""
        if rules.per_day is None:
            return nullcontext()
        return self._counts.setdefault((asked.person, asked.server), asyncio.Lock())

    async def _taken_in(self, asked: Work, rules: ServerSettings, is_allowed: bool) -> Reply:
        match asked:
            case EditAsked() if rules.own_only and asked.picture_owner not in (None, asked.person):
                return Note(Say.ONLY_OWN())
            case EditAsked():
                return await self._edit(asked, rules, is_allowed)
            case VariationAsked():
                self._metrics.moves.labels(str(asked.variation)).inc()
                return await self._vary(asked, rules, is_allowed)
            case GridAsked():
                return await self._sheet(asked, rules, is_allowed)

    async def _over_quota(self, asked: Work, rules: ServerSettings) -> tuple[str, str] | None:
        """Why the person's day in this house is used up; edits that came to nothing do not count."""
        if rules.per_day is None or asked.server is None:
            return None
        turns = await self._store.turns_by(asked.person, COUNTED)
        here = [turn for turn in turns if turn.source.server == asked.server]
        made_at = [turn.created_at for turn in here if not turn.is_lost]
        sentence = objection_to_quota(made_at, rules.per_day, self._clock())
        return ("quota", sentence) if sentence else None

    def _objection(self, asked: Work, rules: ServerSettings) -> tuple[str, str] | None:
        """Why this edit is not taken, as a label for the metrics and a sentence."""
        if self._runner.is_draining:
            return "draining", Say.RESTARTING()
        now, person = self._clock(), asked.person
        pace = self._rate_limits.get(person, RateLimiter())
        if sentence := pace.objection(now, self._limits):
            return "pace", sentence
        self._rate_limits = {
            who: p for who, p in self._rate_limits.items() if not p.is_idle(now, self._limits)
        }
        self._rate_limits[person] = pace.after(now, self._limits)
        if isinstance(asked, EditAsked) and (sentence := _objection_to_what(asked, self._limits)):
            return "words", sentence
        own = self._runner.waiting(person) + self._entering[person]
        everybody = self._runner.waiting() + self._entering.total()
        if sentence := objection_to_queueing(own, everybody, rules.merged_over(self._limits)):
            return "line", sentence
        return None

    # -- edits --------------------------------------------------------------------------------------------

    async def _edit(self, asked: EditAsked, rules: ServerSettings, is_allowed: bool) -> Reply:
        words = _words(asked)
        checked(asked.override)
        base = await shown_version(self._store, asked)
        if base is None and asked.picture is not None:
            owner = asked.person if is_allowed else asked.picture_owner or asked.person
            if objection := await self._consents.objection(asked, owner, words, is_open=False):
                return objection
            is_allowed = True
            session = await self._open_session(
                asked, asked.picture, rules, event_id=None if words else asked.event_id
            )
            if not words:
                return ShownVersion(
                    Say.PICTURE_READY(version=session.root.label), card_of(session.root, session)
                )
            base = Target(session, session.root)
        if base is None and asked.from_version is not None:
            base = await named_version(self._store, asked, asked.from_version)
        if base is None:
            base = await current_version(self._store, asked)
            if base is None or not is_recent(base, asked.person, self._clock(), self._limits):
                return await ask_target(self._store, asked)
        if asked.from_original:
            base = Target(base.session, base.session.root)
        # Should it have to wait for somebody's consent, it will mean this version all the same.
        asked = replace(asked, from_turn=base.turn.id, from_version=None)
        preset = preset_override(asked.preset, self._defaults) if asked.preset else NO_OVERRIDE
        draft = base.session.ask(
            asked.person,
            words,
            parent=base.turn.id,
            reading=asked.reading,
            override=asked.override.merged_over(preset),
            source=asked.source,
        )
        return await self._accept(asked, draft, base.session, rules, is_allowed)

    async def _open_session(
        self, asked: EditAsked, picture: bytes, rules: ServerSettings, event_id: str | None
    ) -> EditSession:
        """A session on a picture just uploaded; PictureRefused or Barred where it is not taken."""
        read = await asyncio.to_thread(read_picture, picture)
        if image_hash := await self._server_settings.find_blocked(asked.server, read.png):
            raise BlockedImage(image_hash)
        return await self._store.open_session(
            asked.channel,
            asked.person,
            image=await asyncio.to_thread(self._images.put, read.png),
            notes=read.notes,
            source=asked.source,
            is_hidden=_is_hidden(asked, rules),
            lent_by=_image_owner(asked),
            delivered=asked.message,
            event_id=event_id,
        )

    async def _vary(self, asked: VariationAsked, rules: ServerSettings, is_allowed: bool) -> Reply:
        """The same instruction once more, from the same parent; or all of them, from the upload."""
        base = await self._meant(asked)
        if base is None:
            return Note(Say.NO_SESSION())
        turn, session = base.turn, base.session
        if turn.parent_id is None:
            return Note(Say.NOTHING_TO_VARY(version=turn.label))
        # Where its parent came to nothing, the version before that will do.
        parent = session.nearest_alive(session.turn(turn.parent_id)).id
        words, reading = turn.instruction, turn.reading
        if asked.variation is Variation.CORRECTED:
            reading = (asked.reading or "").strip() or None
        elif asked.variation is Variation.FROM_ORIGINAL:
            words, parent, reading = combined_words(session.path_to(turn)), session.root.id, None
            if objection := objection_to_words(words, self._limits):
                return Note(objection)
        draft = session.ask(
            asked.person,
            words,
            parent=parent,
            reading=reading,
            override=varied_override(turn, asked.variation, self._draw_seed()),
            source=asked.source,
        )
        return await self._accept(replace(asked, turn=turn.id), draft, session, rules, is_allowed)

    async def _sheet(self, asked: GridAsked, rules: ServerSettings, is_allowed: bool) -> Reply:
        """An instruction under several scales: `text` upon the version meant, or the one that made it."""
        base = await self._meant(asked)
        if base is None:
            return Note(Say.NO_SESSION())
        turn, words = base.turn, asked.text.strip()
        if words:
            draft = base.session.ask(asked.person, words, parent=turn.id, source=asked.source)
        elif turn.parent_id is None:
            return Note(Say.NO_WORDS())
        else:
            draft = base.session.ask(
                asked.person,
                turn.instruction,
                parent=turn.parent_id,
                reading=turn.reading or turn.expressive,
                override=SettingsOverride(**asdict(turn.settings)) if turn.settings else turn.override,
                source=asked.source,
            )
        return await self._accept(replace(asked, turn=turn.id), draft, base.session, rules, is_allowed)

    async def _meant(self, asked: VariationAsked | GridAsked) -> Target | None:
        """The turn meant: the named one, or where I stand, even if that failed."""
        if asked.turn is not None:
            return await target_of(self._store, asked, asked.turn)
        head = await current_version(self._store, asked)
        if head is None:
            return None
        return Target(head.session, head.session.turn(head.session.heads[asked.person].turn_id))

    async def _accept(
        self, asked: Work, draft: TurnDraft, session: EditSession, rules: ServerSettings, is_allowed: bool
    ) -> Reply:
        """Save the turn, then set it going; from here on it will be answered."""
        parent = session.turn(draft.parent_id)
        if not is_allowed and (objection := await self._not_allowed(asked, draft, session, parent)):
            return objection
        wishes = await layers(self._store, asked, session)
        settings = wishes.resolved(draft.override, self._defaults, self._draw_seed())
        draft = replace(
            draft,
            settings=settings,
            auto_scales=wishes.on_auto(draft.override),
            is_hidden=parent.is_hidden or _is_hidden(asked, rules),
        )
        if isinstance(asked, GridAsked):
            draft = replace(draft, grid=checked_grid(asked.grid) if asked.grid else grid_around(settings))
        turn = await self._store.add_turn(draft, event_id=asked.event_id)
        active = self._runner.begin(turn, session.add(turn))
        if parent.image is None:
            return Accepted(Say.QUEUED_AFTER(version=turn.label, parent=parent.label), active.card())
        return Accepted(Say.QUEUED(version=turn.label), active.card())

    async def _not_allowed(
        self, asked: Work, draft: TurnDraft, session: EditSession, parent: Turn
    ) -> Note | None:
        """The question or refusal of whoever lent the picture it starts from, else of the session's owner."""
        lender, words = parent.lent_by, draft.instruction
        if lender == asked.person:
            return None
        is_own_again = isinstance(asked, VariationAsked) and session.owner == asked.person
        if lender and not is_own_again:
            objection = await self._consents.objection(asked, lender, words, is_open=False)
            if objection:
                return objection
        return await self._consents.objection(asked, session.owner, words, is_open=not session.is_locked)


def _image_owner(asked: EditAsked) -> str | None:
    """Whose picture an edit begins with, if not the asker's."""
    return None if asked.picture_owner == asked.person else asked.picture_owner


def _is_hidden(asked: Work, rules: ServerSettings) -> bool:
    """Whether its picture is shown behind a spoiler: by wish, or because its channel's are."""
    is_asked = isinstance(asked, EditAsked) and asked.is_hidden
    return is_asked or not asked.places.isdisjoint(rules.hidden)


def combined_words(path: Sequence[Turn]) -> str:
    """Every instruction on a path from the upload, as one."""
    said = [turn.instruction.strip().rstrip(".!;,") for turn in path[1:]]
    return ", ".join(words for number, words in enumerate(said) if words not in said[:number])


def _objection_to_what(asked: EditAsked, limits: Limits) -> str | None:
    words = _words(asked)
    return None if asked.picture is not None and not words else objection_to_words(words, limits)


def _words(asked: EditAsked) -> str:
    """The instruction as it is kept; a broken half of a character becomes a question mark."""
    return asked.text.encode("utf-8", "replace").decode("utf-8").strip()
