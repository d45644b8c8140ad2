"""What moderators decide for their server, and what people bring before them: reports and appeals."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import replace

from bot.chat.cards import blocked_hash_of, card_of
from bot.chat.events import ButtonAction
from bot.chat.moderation_events import AppealAsked, ModAction, ModActionRequested, ReportAsked
from bot.chat.replies import Decided, ForModerators, Note, Reply, Say, buttons
from bot.i18n.catalog import speaking, spoken
from bot.policy.image_hash import HASH_CHARS, dhash
from bot.workflow.active_turn import ActiveTurn
from bot.workflow.consents import mention
from bot.workflow.privacy import Privacy
from bot.workflow.runner import TurnRunner
from bot.workflow.targets import Context, target_of
from conversations.errors import NoSuchVersion
from conversations.images.image_store import ImageStore
from conversations.servers import AuditEntry, ServerSettings
from conversations.session import Turn
from conversations.store.session_store import SessionStore

LOG_SHOWN = 20
NOTHING = "–"  # in place of a list; its line is left out
log = logging.getLogger(__name__)


class Moderation:
    """Answers moderators, and brings before them what people report."""

    def __init__(
        self,
        store: SessionStore,
        images: ImageStore,
        runner: TurnRunner,
        privacy: Privacy,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._images = images
        self._runner = runner
        self._privacy = privacy
        self._clock = clock

    # -- what moderators decide ---------------------------------------------------------------------------

    async def decide(self, context: Context[ModActionRequested]) -> Reply:
        """Do what a moderator decided, note it in the audit log of the server, and say what holds now."""
        asked, server = context.event, context.event.source.server
        assert server is not None  # a rule of admission
        if asked.action is ModAction.STATUS:
            return Note(self._status(server, context.settings))
        if asked.action is ModAction.LOG:
            return Note(_log_in_words(await self._store.servers.audit_log(server, LOG_SHOWN)))
        removed, image_hash, messages = await self._removed(asked, server)
        entry = AuditEntry(self._clock(), asked.person, asked.action.value, image_hash or asked.subject)
        asked = replace(asked, subject=image_hash or asked.subject)
        rules = await self._store.servers.change(server, lambda now: apply(now, asked), entry)
        stopped = await self._stop(asked, server)
        text = summary(asked, rules, stopped, removed)
        return Decided(text, messages)

    async def _removed(
        self, asked: ModActionRequested, server: str
    ) -> tuple[Turn | None, str | None, tuple[str, ...]]:
        """The version that REMOVE and BLOCK_IMAGE erase, with BLOCK_IMAGE its hash, and its messages."""
        if asked.action not in (ModAction.REMOVE, ModAction.BLOCK_IMAGE):
            return None, None, ()
        turn = await self._store.turn(asked.subject)
        if turn.source.server != server:
            raise NoSuchVersion(asked.subject)
        image_hash = None
        if asked.action is ModAction.BLOCK_IMAGE and turn.image is not None:
            image_hash = await asyncio.to_thread(dhash, await asyncio.to_thread(self._images.get, turn.image))
        return turn, image_hash, await self._privacy.erase(turn)

    async def _stop(self, asked: ModActionRequested, server: str) -> int:
        """Cancel what a person has in line there, where the decision says so; how many."""
        if asked.action not in (ModAction.CANCEL, ModAction.BLOCK):
            return 0
        theirs = [
            active for active in self._runner.active.in_server(server) if active.turn.user == asked.subject
        ]
        return sum([await self._runner.cancel(active.turn.id) for active in theirs])

    def _status(self, server: str, rules: ServerSettings) -> str:
        """What holds in a server, and what goes on there."""
        actives = self._runner.active.in_server(server)
        text = Say.HOUSE_STATUS(
            state=Say.HOUSE_PAUSED() if rules.is_paused else Say.HOUSE_OPEN(),
            waiting=sum(active.is_waiting for active in actives),
            running=sum(not active.is_waiting for active in actives),
            limits=_limits_in_words(rules),
            blocked=_listed(map(mention, rules.blocked)),
            closed=_listed(map(_place, rules.closed)),
            hidden=_listed(map(_place, rules.hidden)),
            overheard=_listed(map(_place, rules.overheard)),
            pictures=_whose(rules),
            barred=_listed(rules.barred),
            reports=_listed([_place(rules.reports)] if rules.reports else []),
        )
        told = [line for line in text.splitlines() if not line.endswith(NOTHING)]
        return "\n".join([*told, *map(_active_in_words, actives[:LOG_SHOWN])])

    # -- what people bring before them --------------------------------------------------------------------

    async def report(self, context: Context[ReportAsked]) -> Reply:
        """Show a version to the moderators, with what they can do about it; once per user and version."""
        asked, base, rules = context.event, context.target, context.settings
        if base is None:
            return Note(Say.NO_SESSION())
        log.warning("turn %s was reported by %s", base.turn.id, asked.person)
        if rules.reports is None:
            return Note(Say.REPORTED())
        is_new = await self._store.servers.add_report(
            asked.source.server, asked.person, base.turn.id, asked.text.strip()
        )
        if not is_new:
            return Note(Say.REPORTED_HERE())
        with speaking(rules.language):
            turn, card = base.turn, card_of(base.turn, base.session)
            told = Say.REPORT_TOLD(
                person=mention(asked.person), version=turn.label, owner=mention(turn.user), turn=turn.id
            )
            choices = buttons(
                ButtonAction.REMOVE, ButtonAction.BLOCK_IMAGE, ButtonAction.BLOCK, ButtonAction.DISMISS
            )
        return ForModerators(
            Say.REPORTED_HERE(),
            rules.reports,
            told,
            words=asked.text.strip(),
            card=card,
            key=turn.shown_in,
            buttons=choices,
            about=turn.id,
            owner=turn.user,
        )

    async def appeal(self, context: Context[AppealAsked]) -> Reply:
        """Ask the moderators to accept images like a removed one again; once per user and image."""
        asked, rules = context.event, context.settings
        words, image_hash = "", asked.about
        if len(image_hash) != HASH_CHARS:
            turn = (await target_of(self._store, asked, asked.about)).turn
            words, image_hash = turn.instruction, blocked_hash_of(turn.error) or ""
        if image_hash not in rules.barred:
            return Note(Say.APPEAL_OVER())
        if rules.reports is None:
            return Note(Say.NOBODY_TO_APPEAL_TO(mark=image_hash))
        if not await self._store.servers.add_appeal(asked.source.server, asked.person, image_hash, words):
            return Note(Say.APPEALED())
        with speaking(rules.language):
            told = Say.APPEAL_TOLD(person=mention(asked.person), mark=image_hash)
            choices = buttons(ButtonAction.UNBLOCK_IMAGE, ButtonAction.DISMISS)
        return ForModerators(
            Say.APPEALED(), rules.reports, told, words=words, buttons=choices, about=image_hash
        )


def apply(rules: ServerSettings, asked: ModActionRequested) -> ServerSettings:
    """The rules of a server after a decision."""
    subject = asked.subject
    match asked.action:
        case ModAction.PAUSE | ModAction.RESUME:
            return replace(rules, is_paused=asked.action is ModAction.PAUSE)
        case ModAction.OPEN | ModAction.HIDE | ModAction.CLOSE:
            closed = with_one(rules.closed, subject, asked.action is ModAction.CLOSE)
            return replace(
                rules, closed=closed, hidden=with_one(rules.hidden, subject, asked.action is ModAction.HIDE)
            )
        case ModAction.LISTEN | ModAction.IGNORE:
            heard = with_one(rules.overheard, subject, asked.action is ModAction.LISTEN)
            return replace(rules, overheard=heard)
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
                rules, barred=with_one(rules.barred, subject, asked.action is ModAction.BLOCK_IMAGE)
            )
        case _:
            return rules


def with_one(group: tuple[str, ...], member: str, is_in: bool) -> tuple[str, ...]:
    """The group with this member, or without."""
    others = tuple(other for other in group if other != member)
    return (*others, member) if is_in else others


def summary(asked: ModActionRequested, rules: ServerSettings, stopped: int, removed: Turn | None) -> str:
    """What a decision did, in a sentence."""
    subject = asked.subject
    match asked.action:
        case ModAction.BLOCK:
            return Say.RULED_BLOCKED(person=mention(subject), count=stopped)
        case ModAction.UNBLOCK:
            return Say.RULED_UNBLOCKED(person=mention(subject))
        case ModAction.CANCEL:
            return Say.RULED_CANCELLED(person=mention(subject), count=stopped)
        case ModAction.LIMITS:
            return Say.RULED_LIMITS(limits=_limits_in_words(rules))
        case ModAction.REMOVE if removed:
            return Say.RULED_REMOVED(version=removed.label)
        case ModAction.BLOCK_IMAGE if removed:
            return Say.RULED_BARRED(version=removed.label, mark=subject)
        case ModAction.UNBLOCK_IMAGE:
            return Say.RULED_LIFTED(mark=subject)
        case _:
            return _PLAIN[asked.action]()


_PLAIN = {
    ModAction.PAUSE: Say.RULED_PAUSED,
    ModAction.RESUME: Say.RULED_RESUMED,
    ModAction.OPEN: Say.RULED_OPEN,
    ModAction.HIDE: Say.RULED_HIDDEN,
    ModAction.CLOSE: Say.RULED_CLOSED,
    ModAction.LISTEN: Say.RULED_OVERHEARD,
    ModAction.IGNORE: Say.RULED_IGNORED,
    ModAction.REPORTS: Say.RULED_REPORTS,
    ModAction.OWN_ONLY: Say.RULED_OWN_ONLY,
    ModAction.BY_CONSENT: Say.RULED_BY_CONSENT,
    ModAction.DISMISS: Say.RULED_DISMISSED,
}


def _limits_in_words(rules: ServerSettings) -> str:
    no_limit = Say.NO_LIMIT()
    return Say.HOUSE_LIMITS(waiting=rules.waiting or no_limit, per_day=rules.per_day or no_limit)


def _whose(rules: ServerSettings) -> str:
    return Say.HOUSE_OWN_ONLY() if rules.own_only else Say.HOUSE_BY_CONSENT()


def _log_in_words(deeds: tuple[AuditEntry, ...]) -> str:
    """The newest decisions, newest first."""
    lines = [
        (f"<t:{round(deed.at)}:R>", mention(deed.by), spoken().deeds[deed.rule], _subject_in_words(deed))
        for deed in deeds
    ]
    return "\n".join(" ".join(line).strip() for line in lines) or Say.LOG_EMPTY()


def _subject_in_words(deed: AuditEntry) -> str:
    if ":" not in deed.subject:
        return deed.subject
    is_person = deed.rule in (ModAction.BLOCK, ModAction.UNBLOCK, ModAction.CANCEL)
    return mention(deed.subject) if is_person else _place(deed.subject)


def _active_in_words(active: ActiveTurn) -> str:
    card = active.card()
    return f"{mention(active.turn.user)} {card.version} `{active.turn.id}` · {card.status}".rstrip(" ·")


def _place(channel: str) -> str:
    """A channel in a sentence; the chat puts its name there."""
    return f"<#{channel}>"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or NOTHING
