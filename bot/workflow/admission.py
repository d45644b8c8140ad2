"""Admission: do the rules allow an event, and how an edit becomes a turn on disk before it is answered."""

import secrets
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import KW_ONLY, dataclass, replace

from bot.chat.cards import card_of, is_question
from bot.chat.events import ButtonAction, EditAsked, Event, GridAsked, VariationAsked, Work
from bot.chat.replies import Accepted, Note, Reply, ShownVersion, buttons
from bot.ops.clocks import uptime_s
from bot.ops.metrics import Metrics
from bot.policy.checks import (
    EDITS,
    Facts,
    Refusal,
    first_refusal,
    is_in,
    is_paced,
    objection_to_length,
    objection_to_text,
    recent,
    refused_language,
)
from bot.policy.host_facts import NO_HOST, HostFacts
from bot.policy.limits import Limits
from bot.policy.share_texts import refused_share
from bot.policy.strikes import STRIKING, Strikes
from bot.workflow.consents import Consents
from bot.workflow.double_clicks import DoubleClicks
from bot.workflow.drawings import Drawings
from bot.workflow.exact_edits import same_again
from bot.workflow.grid_requests import grid_draft
from bot.workflow.runner import TurnRunner
from bot.workflow.settings_layers import grid_of, layers
from bot.workflow.targets import Context, Target, ask_target, version_meant
from bot.workflow.uploads import Uploads
from conversations.errors import ConversationError
from conversations.images.image_store import ImageStore
from conversations.messages import Message, joined, verbatim
from conversations.picture_budget import PictureBudget
from conversations.servers import ServerSettings
from conversations.session import EditSession
from conversations.session_threads import answered_in
from conversations.settings import NO_OVERRIDE, checked
from conversations.shares import edit_cost, share_limits
from conversations.store.session_store import SessionStore
from conversations.store.share_ledger import Charge, ShareLimit, ShareUsedUp
from conversations.turn import Turn, TurnDraft
from conversations.variations import Variation, varied_id, varied_override, varied_words
from mgie_engine.config import Defaults
from mgie_engine.strengths import preset_override
from mgie_engine.text.varied_reading import varied_reading

SEEDS = 1_000_000  # fresh seeds are below this, short enough to read out
SILENCE = Note(Message("silenced"))  # is not sent
SHOWS_EDITS = ("queue", "quota")  # refusals that offer the list of the user's own edits


@dataclass(eq=False)
class Admission:
    """Asks the rules about every event, and turns those for an edit into saved turns for the runner.

    `clock` gives Unix seconds and must be the store's; `uptime` is a clock in seconds that cannot be set;
    `draw_seed` gives the default seed.
    """

    store: SessionStore
    images: ImageStore
    runner: TurnRunner
    consents: Consents
    defaults: Defaults
    limits: Limits
    metrics: Metrics
    budget: PictureBudget
    _: KW_ONLY
    host: HostFacts = NO_HOST
    clock: Callable[[], float] = time.time
    uptime: Callable[[], float] = uptime_s
    draw_seed: Callable[[], int] = lambda: secrets.randbelow(SEEDS)

    def __post_init__(self) -> None:
        pictures, threads = self.runner.pictures, self.runner.threads
        parts = self.store, self.images, threads, self.consents, self.budget, self.metrics
        self.uploads = Uploads(*parts, pictures, self.runner.checks)
        self.masks = self.uploads.masks
        self.drawings = Drawings(self.store, pictures, threads, self.uploads.reader)
        self._requests: dict[str, tuple[float, ...]] = {}  # by user: when, by the uptime clock
        self._strikes: dict[str, Strikes] = {}  # by user
        self._entering: Counter[str] = Counter()  # by user: edits admitted and not yet in the queue
        self._double_clicks = DoubleClicks(self.uptime)

    # -- the rules ----------------------------------------------------------------------------------------

    @asynccontextmanager
    async def enter(self, event: Event, settings: ServerSettings) -> AsyncIterator[Note | None]:
        """Why the event is refused, or None; an edit that is not counts as waiting while the block runs."""
        is_edit = isinstance(event, EDITS)
        share = await self._share(event, settings) if is_edit else None
        # From here to `_entering` nothing is awaited, so no other event comes between check and count.
        facts = Facts(
            event,
            settings,
            self.limits,
            self.clock(),
            self.uptime(),
            self.runner.is_draining,
            self.runner.active.waiting(event.user) + self._entering[event.user],
            self.runner.active.waiting() + self._entering.total(),
            self._requests.get(event.user, ()),
            share,
            self.host.operators,
        )
        refusal = first_refusal(facts)
        if is_paced(event) and (refusal is None or refusal.check.counts):
            self._count_request(facts)
        if refusal is not None:
            yield self._refused(facts, refusal)
            return
        if not is_edit:
            yield None
            return
        self._entering[event.user] += 1
        try:
            yield None
        finally:
            self._entering[event.user] -= 1
            self._entering = +self._entering

    def _refused(self, facts: Facts, refusal: Refusal) -> Note:
        """The answer to a refused event; SILENCE for a user who was refused too often lately."""
        user, reason = facts.event.user, refusal.check.reason
        if isinstance(facts.event, EDITS):
            self.metrics.edits_dropped.labels(reason).inc()
        if reason in STRIKING:
            lately = {who: kept for who, kept in self._strikes.items() if not kept.is_over(facts.uptime_s)}
            self._strikes = {**lately, user: lately.get(user, Strikes()).after(facts.uptime_s)}
            if self._strikes[user].is_silenced:
                return SILENCE
            if self._strikes[user].is_last:
                return Note(joined(" ", refusal.message, Message("silenced")))
        return Note(refusal.message, buttons=buttons(ButtonAction.MY_EDITS) if reason in SHOWS_EDITS else ())

    async def _share(self, event: Event, settings: ServerSettings) -> ShareUsedUp | None:
        """The limit that has no room for any edit now; what an edit costs is known when it is saved."""
        limits = self._share_limits(event, settings)
        use = await self.store.shares.used_up(limits) if limits else None
        return ShareUsedUp(use, 0.0) if use else None

    def _share_limits(self, event: Event, settings: ServerSettings) -> tuple[ShareLimit, ...]:
        rules = self.limits.shares.changed(settings.shares)
        return share_limits(rules, settings.per_day, event.user, event.source.server, event.roles)

    def _charge(self, context: Context[Work], draft: TurnDraft) -> Charge:
        assert draft.settings is not None
        limits = self._share_limits(context.event, context.settings)
        cost = edit_cost(draft.settings, self.defaults, draft.grid, is_auto=bool(draft.auto_scales))
        return Charge(cost, limits)

    def _count_request(self, facts: Facts) -> None:
        now, window_s = facts.uptime_s, self.limits.window_s
        made = self._requests | {facts.event.user: (*facts.requests, now)}
        lately = {who: recent(times, now, window_s) for who, times in made.items()}
        self._requests = {who: times for who, times in lately.items() if times}

    # -- edits --------------------------------------------------------------------------------------------

    async def edit(self, context: Context[EditAsked]) -> Reply:
        """A picture, words, or both; asks which picture is meant where there is none."""
        if context.pictures is not None and context.event.own is not None:
            context = await self.drawings.placed(context)
        asked, target = context.event, context.target
        checked(asked.override)
        if not asked.text:
            asked = replace(
                asked, text=asked.kept_words or await self._open_words(asked) or asked.last_words, said=None
            )
            context = replace(context, event=asked)
        if context.pictures is not None:
            opened = await self.uploads.open(context, context.pictures)
            if not isinstance(opened, EditSession):
                return opened
            target = Target(opened, opened.root)
        if target is None:
            await self.store.users.ask_picture(asked.user, asked.channel, asked.text, asked.asked_at)
            return await ask_target(self.store, asked)
        if not asked.text and asked.mask:
            return Note(Message("mask_without_words"))
        if not asked.text:
            ready, abilities = Message("picture_ready", version=target.turn.label), self.limits.abilities
            sentence = joined(" ", ready, abilities) if abilities else ready
            return ShownVersion(sentence, card_of(target.turn, target.session))
        if objection := refused_language(asked, self.limits):
            return objection
        start = version_meant(target.session, target.turn)
        parent = target.session.root if asked.from_original else start
        preset = preset_override(asked.preset, self.defaults) if asked.preset else NO_OVERRIDE
        mask = None
        if asked.mask or (asked.said and asked.said.is_same_area):
            mask = await self.masks.of(asked, target.session, parent)
        draft = target.session.ask(
            asked.user,
            asked.text,
            parent=parent.id,
            reading=asked.reading,
            override=asked.override.merged_over(preset),
            source=asked.source,
        )
        # If it waits for consent, it must still start from this version.
        asked = replace(asked, turn=parent.id, version=None, own=None, replied=None, steps_back=0)
        reply = await self._accept(replace(context, event=asked), draft, target.session, mask)
        if isinstance(reply, Accepted) and target.undone:
            await self.runner.cancel_undone(target.undone, asked.user)
        return reply

    async def _open_words(self, asked: EditAsked) -> str:
        """The words of this user that wait for a picture here; a picture without words takes them."""
        since = self.clock() - self.limits.head_ttl_s
        return await self.store.users.open_words(asked.user, asked.channel, since) or ""

    async def vary(self, context: Context[VariationAsked]) -> Reply:
        """The same instruction once more, from the same parent; or all of them, from the upload."""
        asked, target = context.event, context.target
        self.metrics.moves.labels(str(asked.variation)).inc()
        if target is None:
            return Note(Message("no_session"))
        turn, session = target.turn, target.session
        if turn.parent_id is None:
            return Note(Message("nothing_to_vary", version=turn.label))
        if pressed := self._double_clicks.answer_to(asked, turn):
            return pressed
        if same := await same_again(self.store, self.defaults, asked, target):
            return same
        # If its parent failed, the nearest version that did not takes its place.
        parent = session.nearest_alive(session.turn(turn.parent_id)).id
        path, is_asked = session.path_to(turn), is_question(turn.error)
        reading = varied_reading(turn, asked.variation, asked.text, is_question=is_asked)
        mask, united = turn.mask, None
        words = varied_words(path, asked.variation, asked.text)
        if words != turn.instruction and (objection := objection_to_text(words, self.limits)):
            return Note(objection)
        if asked.variation is Variation.CORRECTED:
            reading = (asked.reading or "").strip() or None
            if objection := objection_to_length(reading or "", self.limits):
                return Note(objection)
        elif asked.variation is Variation.FROM_ORIGINAL:
            parent, mask = session.root.id, None
            united = await self.masks.combined(path)  # of few edits, as their words together are not too long
        draft = session.ask(
            asked.user,
            words,
            parent=parent,
            reading=reading,
            override=varied_override(turn, asked.variation, self.draw_seed(), is_slight=asked.is_slight),
            source=asked.source,
            mask=mask,
        )
        draft = replace(draft, varied_id=varied_id(turn))
        event = replace(asked, turn=turn.id)
        reply = await self._accept(replace(context, event=event), draft, session, united)
        if isinstance(reply, Accepted):
            self._double_clicks.answered(asked, turn, reply)
        return reply

    async def grid(self, context: Context[GridAsked]) -> Reply:
        """An instruction under several scales: `text` upon the version meant, or the one that made it."""
        asked, target = context.event, context.target
        if target is None:
            return Note(Message("no_session"))
        if objection := refused_language(asked, self.limits):
            return objection
        if same := await same_again(self.store, self.defaults, asked, target):
            return same
        draft = grid_draft(asked, target)
        if isinstance(draft, Note):
            return draft
        context = replace(context, event=replace(asked, turn=target.turn.id))
        return await self._accept(context, draft, target.session)

    async def _accept(
        self, context: Context[Work], draft: TurnDraft, session: EditSession, mask: bytes | None = None
    ) -> Reply:
        """Save the turn, with a `mask` that is not stored yet; from here on it will be answered."""
        asked, parent = context.event, session.turn(draft.parent_id)
        if objection := await self._not_allowed(asked, draft, session, parent, mask):
            return objection
        overrides = await layers(self.store, asked, session)
        settings = overrides.resolved(draft.override, self.defaults, self.draw_seed())
        grid = grid_of(asked, settings, self.draw_seed)
        # A result is about as large as the picture it starts from; the cells of a grid are kept beside it.
        size = (self.images.size(parent.image) if parent.image else 0) * (len(grid.cells) + 1 if grid else 1)
        await self.budget.make_room(asked.user, size + len(mask or b""), session.id)
        if mask is not None:
            draft = replace(draft, mask=await self.runner.threads.disk(self.images.put, mask))
        with_threads = is_in(asked, context.settings.threads)
        draft = replace(
            draft,
            source=answered_in(session, draft.source, with_threads=with_threads),
            settings=settings,
            auto_scales=overrides.on_auto(draft.override),
            is_hidden=parent.is_hidden or _is_hidden(context),
            grid=grid,
        )
        try:
            cost = self._charge(context, draft)
            turn = await self.store.add_turn(
                draft, event_id=asked.event_id, asked_at=asked.asked_at, cost=cost
            )
        except ConversationError as error:
            await self.runner.erased.delete([draft.mask])
            if not isinstance(error, ShareUsedUp):
                raise
            self.metrics.edits_dropped.labels("quota").inc()
            return Note(refused_share(error), buttons=buttons(ButtonAction.MY_EDITS))
        active = self.runner.begin(turn, session.add(turn))
        if parent.image is None:
            return Accepted(Message("queued_after", version=turn.label, parent=parent.label), active.card())
        if (thread := turn.source.channel) != asked.source.channel:
            place = verbatim(f"<#{thread}>")
            return Accepted(Message("queued_in_thread", version=turn.label, place=place), active.card())
        return Accepted(Message("queued", version=turn.label), active.card())

    async def _not_allowed(
        self, asked: Work, draft: TurnDraft, session: EditSession, parent: Turn, mask: bytes | None
    ) -> Reply | None:
        """The question to the owner of the image, else of the session; or their refusal."""
        lender, words = parent.lent_by, draft.instruction
        if asked.user == lender or (lender is None and asked.user == session.owner):
            return None
        is_again = isinstance(asked, VariationAsked) or (isinstance(asked, GridAsked) and not asked.text)
        is_own_again = is_again and session.owner == asked.user
        if lender and not is_own_again:
            objection = await self.consents.objection(asked, lender, words, is_open=False, mask=mask)
            if objection:
                return objection
        is_open = not session.is_locked
        return await self.consents.objection(asked, session.owner, words, is_open=is_open, mask=mask)


def _is_hidden(context: Context[Work]) -> bool:
    """Whether its picture is shown behind a spoiler: as asked, or because its channel's are."""
    asked = context.event
    is_asked = isinstance(asked, EditAsked) and asked.is_hidden
    return is_asked or is_in(asked, context.settings.hidden)
