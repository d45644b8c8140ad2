"""What moderators decide for their server, and what people bring before them: reports and appeals."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import replace

from bot.chat.cards import card_of, filtered_mark
from bot.chat.events import Act, house_of
from bot.chat.moderation_events import AppealAsked, ReportAsked, Rule, RuleAsked
from bot.chat.replies import Decided, ForModerators, Note, Reply, Say, buttons
from bot.i18n.catalog import speaking, spoken
from bot.policy.image_hash import MARK_CHARS, mark_of
from bot.policy.server_settings import Deed, HouseRules, Houses, with_one
from bot.workflow.active_turn import Run
from bot.workflow.consents import mention
from bot.workflow.privacy import Privacy
from bot.workflow.runner import TurnRunner
from bot.workflow.targets import base_of
from conversations.errors import NoSuchVersion
from conversations.images.image_store import ImageStore
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
        self._houses = Houses(store)
        self._clock = clock

    # -- what moderators decide ---------------------------------------------------------------------------

    async def decide(self, asked: RuleAsked) -> Reply:
        """Do what a moderator decided, note it in the log of the server, and say what holds now."""
        house = asked.house
        if house is None:
            return Note(Say.ONLY_IN_SERVERS())
        if not asked.may:
            return Note(Say.NOT_A_MODERATOR())
        if asked.rule is Rule.STATUS:
            return Note(self._status(house, await self._houses.rules(house)))
        if asked.rule is Rule.LOG:
            return Note(_log_in_words((await self._houses.rules(house)).log))
        removed, mark = await self._removed(asked, house)
        deed = Deed(self._clock(), asked.person, asked.rule.value, mark or asked.subject)
        asked = replace(asked, subject=mark or asked.subject)
        rules = await self._houses.change(house, lambda now: ruled(now, asked).noted(deed))
        stopped = await self._stop(asked, house)
        text = outcome(asked, rules, stopped, removed)
        return Decided(text, (removed.delivered,) if removed and removed.delivered else ())

    async def _removed(self, asked: RuleAsked, house: str) -> tuple[Turn | None, str | None]:
        """The version that REMOVE and BAR erase, and with BAR its mark; nothing for any other decision."""
        if asked.rule not in (Rule.REMOVE, Rule.BAR):
            return None, None
        turn = await self._store.turn(asked.subject)
        if house_of(turn.user, turn.source) != house:
            raise NoSuchVersion(asked.subject)
        mark = None
        if asked.rule is Rule.BAR and turn.image is not None:
            mark = await asyncio.to_thread(mark_of, await asyncio.to_thread(self._images.get, turn.image))
        await self._privacy.erase(turn)
        return turn, mark

    async def _stop(self, asked: RuleAsked, house: str) -> int:
        """Cancel what a person has in line there, where the decision says so; how many."""
        if asked.rule not in (Rule.CANCEL, Rule.BLOCK):
            return 0
        theirs = [run for run in self._runner.runs_in(house) if run.turn.user == asked.subject]
        return sum([await self._runner.cancel(run.turn.id) for run in theirs])

    def _status(self, house: str, rules: HouseRules) -> str:
        """What holds in a server, and what goes on there."""
        runs = self._runner.runs_in(house)
        text = Say.HOUSE_STATUS(
            state=Say.HOUSE_PAUSED() if rules.is_paused else Say.HOUSE_OPEN(),
            waiting=sum(run.is_waiting for run in runs),
            running=sum(not run.is_waiting for run in runs),
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
        return "\n".join([*told, *map(_run_in_words, runs[:LOG_SHOWN])])

    # -- what people bring before them --------------------------------------------------------------------

    async def report(self, asked: ReportAsked) -> Reply:
        """Show a version to the moderators, with what they can do about it; once per person and version."""
        base = await base_of(self._store, asked, asked.turn)
        log.warning("turn %s was reported by %s", base.turn.id, asked.person)
        rules = await self._houses.rules(asked.house)
        if rules.reports is None:
            return Note(Say.REPORTED())
        if await self._store.seen(f"report {asked.person} {base.turn.id}"):
            return Note(Say.REPORTED_HERE())
        with speaking(rules.language):
            turn, card = base.turn, card_of(base.turn, base.session)
            told = Say.REPORT_TOLD(
                person=mention(asked.person), version=turn.label, owner=mention(turn.user), turn=turn.id
            )
            choices = buttons(Act.REMOVE, Act.BAR, Act.BLOCK, Act.DISMISS)
        return ForModerators(
            Say.REPORTED_HERE(),
            rules.reports,
            told,
            words=asked.text.strip(),
            card=card,
            key=turn.delivered,
            buttons=choices,
            about=turn.id,
            owner=turn.user,
        )

    async def appeal(self, asked: AppealAsked) -> Reply:
        """Ask the moderators to take pictures like a removed one again; once per person and picture."""
        words, mark = "", asked.about
        if len(mark) != MARK_CHARS:
            turn = (await base_of(self._store, asked, asked.about)).turn
            words, mark = turn.instruction, filtered_mark(turn.error) or ""
        rules = await self._houses.rules(asked.house)
        if mark not in rules.barred:
            return Note(Say.APPEAL_OVER())
        if rules.reports is None:
            return Note(Say.NOBODY_TO_APPEAL_TO(mark=mark))
        if await self._store.seen(f"appeal {asked.person} {mark}"):
            return Note(Say.APPEALED())
        with speaking(rules.language):
            told = Say.APPEAL_TOLD(person=mention(asked.person), mark=mark)
            choices = buttons(Act.LIFT, Act.DISMISS)
        return ForModerators(Say.APPEALED(), rules.reports, told, words=words, buttons=choices, about=mark)


def ruled(rules: HouseRules, asked: RuleAsked) -> HouseRules:
    """The rules of a server after a decision."""
    subject = asked.subject
    match asked.rule:
        case Rule.PAUSE | Rule.RESUME:
            return replace(rules, is_paused=asked.rule is Rule.PAUSE)
        case Rule.OPEN | Rule.HIDE | Rule.CLOSE:
            closed = with_one(rules.closed, subject, asked.rule is Rule.CLOSE)
            return replace(
                rules, closed=closed, hidden=with_one(rules.hidden, subject, asked.rule is Rule.HIDE)
            )
        case Rule.OVERHEAR | Rule.IGNORE:
            heard = with_one(rules.overheard, subject, asked.rule is Rule.OVERHEAR)
            return replace(rules, overheard=heard)
        case Rule.REPORTS:
            return replace(rules, reports=subject, language=asked.language)
        case Rule.LIMITS:
            waiting = rules.waiting if asked.waiting is None else asked.waiting or None
            return replace(
                rules,
                waiting=waiting,
                per_day=rules.per_day if asked.per_day is None else asked.per_day or None,
            )
        case Rule.OWN_ONLY | Rule.BY_CONSENT:
            return replace(rules, own_only=asked.rule is Rule.OWN_ONLY)
        case Rule.BLOCK | Rule.UNBLOCK:
            return replace(rules, blocked=with_one(rules.blocked, subject, asked.rule is Rule.BLOCK))
        case Rule.BAR | Rule.LIFT if len(subject) == MARK_CHARS:
            return replace(rules, barred=with_one(rules.barred, subject, asked.rule is Rule.BAR))
        case _:
            return rules


def outcome(asked: RuleAsked, rules: HouseRules, stopped: int, removed: Turn | None) -> str:
    """What a decision did, in a sentence."""
    subject = asked.subject
    match asked.rule:
        case Rule.BLOCK:
            return Say.RULED_BLOCKED(person=mention(subject), count=stopped)
        case Rule.UNBLOCK:
            return Say.RULED_UNBLOCKED(person=mention(subject))
        case Rule.CANCEL:
            return Say.RULED_CANCELLED(person=mention(subject), count=stopped)
        case Rule.LIMITS:
            return Say.RULED_LIMITS(limits=_limits_in_words(rules))
        case Rule.REMOVE if removed:
            return Say.RULED_REMOVED(version=removed.label)
        case Rule.BAR if removed:
            return Say.RULED_BARRED(version=removed.label, mark=subject)
        case Rule.LIFT:
            return Say.RULED_LIFTED(mark=subject)
        case _:
            return _PLAIN[asked.rule]()


_PLAIN = {
    Rule.PAUSE: Say.RULED_PAUSED,
    Rule.RESUME: Say.RULED_RESUMED,
    Rule.OPEN: Say.RULED_OPEN,
    Rule.HIDE: Say.RULED_HIDDEN,
    Rule.CLOSE: Say.RULED_CLOSED,
    Rule.OVERHEAR: Say.RULED_OVERHEARD,
    Rule.IGNORE: Say.RULED_IGNORED,
    Rule.REPORTS: Say.RULED_REPORTS,
    Rule.OWN_ONLY: Say.RULED_OWN_ONLY,
    Rule.BY_CONSENT: Say.RULED_BY_CONSENT,
    Rule.DISMISS: Say.RULED_DISMISSED,
}


def _limits_in_words(rules: HouseRules) -> str:
    no_limit = Say.NO_LIMIT()
    return Say.HOUSE_LIMITS(waiting=rules.waiting or no_limit, per_day=rules.per_day or no_limit)


def _whose(rules: HouseRules) -> str:
    return Say.HOUSE_OWN_ONLY() if rules.own_only else Say.HOUSE_BY_CONSENT()


def _log_in_words(deeds: tuple[Deed, ...]) -> str:
    """The newest decisions, newest first."""
    lines = [
        (f"<t:{round(deed.at)}:R>", mention(deed.by), spoken().deeds[deed.rule], _subject_in_words(deed))
        for deed in reversed(deeds[-LOG_SHOWN:])
    ]
    return "\n".join(" ".join(line).strip() for line in lines) or Say.LOG_EMPTY()


def _subject_in_words(deed: Deed) -> str:
    if ":" not in deed.subject:
        return deed.subject
    is_person = deed.rule in (Rule.BLOCK, Rule.UNBLOCK, Rule.CANCEL)
    return mention(deed.subject) if is_person else _place(deed.subject)


def _run_in_words(run: Run) -> str:
    card = run.card()
    return f"{mention(run.turn.user)} {card.version} `{run.turn.id}` · {card.status}".rstrip(" ·")


def _place(channel: str) -> str:
    """A channel in a sentence; the chat puts its name there."""
    return f"<#{channel}>"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or NOTHING
