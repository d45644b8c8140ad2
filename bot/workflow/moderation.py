"""Decisions of moderators for their server, and what users ask of them: reports and appeals."""

import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from bot.chat.cards import UNSAFE, blocked_hash_of, card_of, is_unsafe
from bot.chat.events import ButtonAction, Event
from bot.chat.moderation_events import AppealAsked, ModAction, ModActionRequested, ReportAsked
from bot.chat.replies import Decided, ForModerators, Note, Reply, buttons, how_it_goes
from bot.policy.picture_marks import HASH_CHARS
from bot.workflow.active_turn import ActiveTurn
from bot.workflow.consents import mention
from bot.workflow.privacy import Privacy
from bot.workflow.runner import TurnRunner
from bot.workflow.sharing import Sharing
from bot.workflow.targets import Context, target_of
from conversations.errors import NoSuchVersion
from conversations.images.image_store import ImageStore
from conversations.messages import Message, joined, verbatim
from conversations.servers import AuditEntry, ServerSettings, with_one
from conversations.session_grids import grids_with
from conversations.store.session_store import SessionStore
from conversations.turn import Turn

LOG_SHOWN = 20
LISTED = 12  # members of a list in a status
log = logging.getLogger(__name__)


@dataclass(eq=False)
class Moderation:
    """Carries out decisions, and passes reports and appeals on."""

    store: SessionStore
    images: ImageStore
    runner: TurnRunner
    privacy: Privacy
    clock: Callable[[], float] = time.time

    def __post_init__(self) -> None:
        self._sharing = Sharing(self.store, self.runner)

    def handlers(self) -> dict[type[Event], Callable[[Context[Any]], Awaitable[Reply]]]:
        """Who answers which event."""
        return {
            ModActionRequested: self.decide,
            ReportAsked: self.report,
            AppealAsked: self.appeal,
            **self._sharing.handlers(),
        }

    # -- what moderators decide ---------------------------------------------------------------------------

    async def decide(self, context: Context[ModActionRequested]) -> Reply:
        """Do what a moderator decided, note it in the audit log of the server, and say what holds now."""
        asked, server = context.event, context.event.source.server
        assert server is not None  # a rule of admission
        if asked.action is ModAction.STATUS:
            return Note(self._status(server, context.settings))
        if asked.action is ModAction.LOG:
            return Note(_log_in_words(await self.store.servers.audit_log(server, LOG_SHOWN)))
        removed, image_hash = await self._to_remove(asked, server)
        version = "" if removed is None else removed.id
        subject = image_hash or asked.subject
        entry = AuditEntry(self.clock(), asked.user, asked.action.value, subject, version)
        asked = replace(asked, subject=subject)
        rules = await self.store.servers.change(server, lambda now: apply(now, asked), entry)
        # Only now, as the hash cannot be had from a picture that is gone.
        messages = await self._erase(removed) if removed else ()
        stopped = await self._stop(asked, server)
        text = summary(asked, rules, stopped, removed)
        if asked.action is ModAction.HIDE and (hidden := await self._sharing.hide_channel(asked.subject)):
            text = joined(" ", text, Message("hidden_posted", count=hidden))
        return Decided(text, messages)

    async def _to_remove(self, asked: ModActionRequested, server: str) -> tuple[Turn | None, str | None]:
        """The version that REMOVE and BLOCK_IMAGE erase, and with BLOCK_IMAGE its hash."""
        if asked.action not in (ModAction.REMOVE, ModAction.BLOCK_IMAGE):
            return None, None
        turn = await self.store.turn(asked.subject)
        if turn.source.server != server:
            raise NoSuchVersion(asked.subject)
        image_hash = None
        if asked.action is ModAction.BLOCK_IMAGE and turn.image is not None:
            image_hash = await self.runner.checks.mark(turn)
        return turn, image_hash

    async def _erase(self, removed: Turn) -> tuple[str, ...]:
        """Erase a version, and the grids that show it; the messages to delete."""
        session = await self.store.session(removed.session_id)
        erased = [await self.privacy.erase(turn) for turn in (removed, *grids_with(session, removed))]
        return tuple(key for messages in erased for key in messages)

    async def _stop(self, asked: ModActionRequested, server: str) -> int:
        """Cancel the queued and running edits of a user there, if the decision says so; how many."""
        if asked.action not in (ModAction.CANCEL, ModAction.BLOCK):
            return 0
        theirs = [
            active for active in self.runner.active.in_server(server) if active.turn.user == asked.subject
        ]
        return sum([await self.runner.cancel(active.turn.id) for active in theirs])

    def _status(self, server: str, rules: ServerSettings) -> Message:
        """What holds in a server, and what goes on there."""
        actives = self.runner.active.in_server(server)
        running = sum(not active.is_waiting for active in actives)
        state = Message("server_paused") if rules.is_paused else Message("server_open")
        busy = Message("status_state", state=state, waiting=len(actives) - running, running=running)
        return joined("\n", busy, *_rule_lines(rules), *map(_run_line, actives[:LOG_SHOWN]))

    # -- reports and appeals -------------------------------------------------------------------------------

    async def report(self, context: Context[ReportAsked]) -> Reply:
        """Show a version to the moderators, with what they can do about it; once, however many report it."""
        asked, base, rules = context.event, context.target, context.settings
        if base is None:
            return Note(Message("no_session"))
        log.warning("turn %s was reported by %s", base.turn.id, asked.user)
        if rules.reports is None:
            return Note(Message("reported"))
        is_first = await self.store.servers.add_report(
            asked.source.server, asked.user, base.turn.id, asked.text.strip()
        )
        if not is_first:
            return Note(Message("reported_here"))
        turn = base.turn
        summary = Message(
            "report_text",
            person=mention(asked.user),
            version=turn.label,
            owner=mention(turn.user),
            turn=turn.id,
        )
        return ForModerators(
            Message("reported_here"),
            rules.reports,
            summary,
            rules.language,
            words=asked.text.strip(),
            card=card_of(turn, base.session),
            key=turn.shown_in,
            buttons=buttons(
                ButtonAction.REMOVE, ButtonAction.BLOCK_IMAGE, ButtonAction.BLOCK, ButtonAction.DISMISS
            ),
            about=turn.id,
            owner=turn.user,
        )

    async def appeal(self, context: Context[AppealAsked]) -> Reply:
        """Ask the moderators to accept images like a removed one again; once per user and image."""
        asked, rules = context.event, context.settings
        words, image_hash = "", asked.about
        if image_hash.startswith(UNSAFE):
            return await self._appeal_unsafe(asked, rules, "")
        if len(image_hash) != HASH_CHARS:
            turn = (await target_of(self.store, asked, asked.about)).turn
            if is_unsafe(turn.error):
                return await self._appeal_unsafe(asked, rules, turn.instruction)
            words, image_hash = turn.instruction, blocked_hash_of(turn.error) or ""
        if image_hash not in rules.blocked_images:
            return Note(Message("appeal_over"))
        if rules.reports is None:
            return Note(Message("no_appeals_here", hash=image_hash))
        if not await self.store.servers.add_appeal(asked.source.server, asked.user, image_hash, words):
            return Note(Message("appealed"))
        return ForModerators(
            Message("appealed"),
            rules.reports,
            Message("appeal_text", person=mention(asked.user), hash=image_hash),
            rules.language,
            words=words,
            buttons=buttons(ButtonAction.UNBLOCK_IMAGE, ButtonAction.DISMISS),
            about=image_hash,
        )

    async def _appeal_unsafe(self, asked: AppealAsked, rules: ServerSettings, words: str) -> Reply:
        """Tell the moderators that a picture was taken for a sexual one; it was not kept."""
        if rules.reports is None:
            return Note(Message("no_unsafe_appeals_here"))
        if not await self.store.servers.add_appeal(asked.source.server, asked.user, asked.about, words):
            return Note(Message("appealed"))
        summary = Message("unsafe_appeal_text", person=mention(asked.user))
        dismiss = buttons(ButtonAction.DISMISS)
        return ForModerators(
            Message("appealed"),
            rules.reports,
            summary,
            rules.language,
            words,
            buttons=dismiss,
            about=asked.about,
        )


def apply(rules: ServerSettings, asked: ModActionRequested) -> ServerSettings:
    """The rules of a server after a decision."""
    subject = asked.subject
    match asked.action:
        case ModAction.PAUSE | ModAction.RESUME:
            return replace(rules, is_paused=asked.action is ModAction.PAUSE)
        case ModAction.OPEN | ModAction.HIDE | ModAction.CLOSE:
            closed = with_one(rules.closed, subject, asked.action is ModAction.CLOSE)
            hidden = with_one(rules.hidden, subject, asked.action is ModAction.HIDE)
            is_more = rules.only and asked.action is not ModAction.CLOSE
            only = with_one(rules.only, subject, True) if is_more else rules.only
            return replace(rules, closed=closed, hidden=hidden, only=only)
        case ModAction.ONLY:
            closed = with_one(rules.closed, subject, False)
            return replace(rules, closed=closed, only=with_one(rules.only, subject, True))
        case ModAction.EVERYWHERE:
            return replace(rules, closed=(), only=())
        case ModAction.LISTEN | ModAction.IGNORE:
            heard = with_one(rules.listening, subject, asked.action is ModAction.LISTEN)
            return replace(rules, listening=heard)
        case ModAction.THREADS | ModAction.NO_THREADS:
            threads = with_one(rules.threads, subject, asked.action is ModAction.THREADS)
            return replace(rules, threads=threads)
        case ModAction.SHOWCASE | ModAction.NO_SHOWCASE:
            return replace(rules, showcase=subject if asked.action is ModAction.SHOWCASE else None)
        case ModAction.REPORTS:
            return replace(rules, reports=subject, language=asked.source.language)
        case ModAction.LIMITS:
            waiting = rules.waiting if asked.waiting is None else asked.waiting or None
            return replace(
                rules,
                waiting=waiting,
                per_day=rules.per_day if asked.per_day is None else asked.per_day or None,
            )
        case ModAction.OWN_ONLY | ModAction.BY_CONSENT:
            return replace(rules, own_only=asked.action is ModAction.OWN_ONLY)
        case ModAction.BLOCK | ModAction.UNBLOCK:
            return replace(rules, blocked=with_one(rules.blocked, subject, asked.action is ModAction.BLOCK))
        case ModAction.BLOCK_IMAGE | ModAction.UNBLOCK_IMAGE if len(subject) == HASH_CHARS:
            return replace(
                rules,
                blocked_images=with_one(rules.blocked_images, subject, asked.action is ModAction.BLOCK_IMAGE),
            )
        case _:
            return rules


def summary(asked: ModActionRequested, rules: ServerSettings, stopped: int, removed: Turn | None) -> Message:
    """What a decision did."""
    subject = asked.subject
    match asked.action:
        case ModAction.BLOCK:
            return Message("decided_blocked", person=mention(subject), count=stopped)
        case ModAction.UNBLOCK:
            return Message("decided_unblocked", person=mention(subject))
        case ModAction.CANCEL:
            return Message("decided_cancelled", person=mention(subject), count=stopped)
        case ModAction.LIMITS:
            return Message("decided_limits", limits=_limits_in_words(rules))
        case ModAction.REMOVE if removed:
            return Message("decided_removed", version=removed.label)
        case ModAction.BLOCK_IMAGE if removed:
            return Message("decided_image_blocked", version=removed.label, hash=subject)
        case ModAction.UNBLOCK_IMAGE:
            return Message("decided_image_unblocked", hash=subject)
        case _:
            return Message(f"decided.{asked.action}")


def _limits_in_words(rules: ServerSettings) -> Message:
    no_limit = Message("no_limit")
    return Message("server_limits", waiting=rules.waiting or no_limit, per_day=rules.per_day or no_limit)


def _rule_lines(rules: ServerSettings) -> Iterator[Message]:
    """A line for each rule of a server that says anything."""
    pictures = Message("server_own_only") if rules.own_only else Message("server_by_consent")
    yield Message("status_limits", list=_limits_in_words(rules))
    yield Message("status_pictures", list=pictures)
    if rules.blocked:
        yield Message("status_blocked", list=_some(map(mention, rules.blocked)))
    if rules.closed:
        yield Message("status_closed", list=_some(map(_place, rules.closed)))
    if rules.only:
        yield Message("status_only", list=_some(map(_place, rules.only)))
    if rules.hidden:
        yield Message("status_hidden", list=_some(map(_place, rules.hidden)))
    if rules.threads:
        yield Message("status_threads", list=_some(map(_place, rules.threads)))
    if rules.listening:
        yield Message("status_listening", list=_some(map(_place, rules.listening)))
    if rules.blocked_images:
        yield Message("status_images", list=_some(map(verbatim, rules.blocked_images)))
    if rules.showcase:
        yield Message("status_showcase", list=_place(rules.showcase))
    if rules.reports:
        yield Message("status_reports", list=_place(rules.reports))


def _some(members: Iterable[Message]) -> tuple[Message, ...]:
    """The first members of a list, and how many more there are."""
    listed = tuple(members)
    more = len(listed) - LISTED
    return listed if more <= 0 else (*listed[:LISTED], Message("and_more", count=more))


def _log_in_words(entries: tuple[AuditEntry, ...]) -> Message:
    """The newest decisions, newest first."""
    return joined("\n", *map(_log_line, entries)) if entries else Message("log_empty")


def _log_line(entry: AuditEntry) -> Message:
    at, action = verbatim(f"<t:{round(entry.at)}:R>"), Message(f"action.{entry.rule}")
    subject = [_subject_in_words(entry)] if entry.subject else []
    return joined(" ", at, mention(entry.by), action, *subject)


def _subject_in_words(entry: AuditEntry) -> Message:
    if ":" not in entry.subject:
        return verbatim(entry.subject)
    is_person = entry.rule in (ModAction.BLOCK, ModAction.UNBLOCK, ModAction.CANCEL)
    return mention(entry.subject) if is_person else _place(entry.subject)


def _run_line(active: ActiveTurn) -> Message:
    card = active.card()
    name = verbatim(f"{card.version} `{active.turn.id}`")
    return joined(
        " · ", joined(" ", mention(active.turn.user), name), *([how_it_goes(card)] if card.status else [])
    )


def _place(channel: str) -> Message:
    """A channel in a sentence; the chat puts its name there."""
    return verbatim(f"<#{channel}>")
