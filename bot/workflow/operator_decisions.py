"""What operators decide for all servers, whether on Discord or by `mgie-bot admin`.

A decision is written under EVERYWHERE in the tables of servers, so the rules of admission ask for it like for
those of moderators. Each has an entry in the audit log.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from bot.chat.operator_events import OperatorAct
from bot.policy.picture_marks import HASH_CHARS
from bot.workflow.notices import listed
from conversations.errors import ConversationError
from conversations.messages import Message, joined, verbatim
from conversations.servers import EVERYWHERE, AuditEntry, ServerSettings, with_one
from conversations.shares import SHARE_NAMES, ShareRules
from conversations.store.operator_tables import OperatorOverview
from conversations.store.session_store import SessionStore

LOG_SHOWN = 25
ANNOUNCEMENT_CHARS = 1000
WITH_WORK = (
    OperatorAct.DRAIN,
    OperatorAct.BLOCK,
    OperatorAct.REMOVE,
    OperatorAct.ANNOUNCE,
)  # which the running bot must do
_USER = re.compile(r"[a-z]+:\S+")
_DISCORD_USER = re.compile(r"(?:<@!?)?(\d+)>?")
_HASH = re.compile(rf"[0-9a-f]{{{HASH_CHARS}}}")


class NotUnderstood(ConversationError):
    """A decision names no user, picture or limit; the message says how to write one."""


@dataclass(frozen=True, slots=True)
class OperatorDecision:
    """What is decided, by whom (a user key, or "operator:NAME"). See OperatorActRequested for `edits`."""

    act: OperatorAct
    by: str
    subject: str = ""  # the key of a user, an image hash, a text, or the name of a limit
    version: str = ""  # id of the version whose picture it is
    edits: float | None = None
    outcome: str = ""


def user_meant(given: str) -> str:
    """The key of the user that is meant: a number, a mention, or a key. NotUnderstood for other words."""
    if found := _DISCORD_USER.fullmatch(given.strip()):
        return f"discord:{found[1]}"
    if not _USER.fullmatch(given.strip()):
        text = f"{given!r} names no user; write it as in an export, such as discord:42."
        raise NotUnderstood(text, Message("operator_no_user", word=given))
    return given.strip()


def is_hash(given: str) -> bool:
    """Whether this is an image hash."""
    return _HASH.fullmatch(given) is not None


async def carry_out(store: SessionStore, decision: OperatorDecision, at: float, rules: ShareRules) -> Message:
    """Write a decision of that moment (Unix seconds), unless it only reads, and say what holds now.

    rules: the limits of the environment. NotUnderstood, with nothing written, for an unknown limit.
    """
    if decision.act is OperatorAct.LOG:
        entries = await store.servers.audit_log(None, LOG_SHOWN, decision.subject or None)
        return joined("\n", *map(verbatim, log_lines(entries))) if entries else Message("log_empty")
    if decision.act is OperatorAct.STATUS:
        now = await store.servers.change(EVERYWHERE, lambda now: now)
        return _status(await store.operators.overview(at), now, rules)
    if decision.act is OperatorAct.NOTICES:
        return await listed(store, at)
    if decision.act is OperatorAct.SETTLE:
        return await _settle(store, decision, at, rules)
    if decision.act is OperatorAct.SHARES and decision.subject not in SHARE_NAMES:
        names = ", ".join(SHARE_NAMES)
        text = f"{decision.subject!r} names no limit; there are {names}."
        raise NotUnderstood(text, Message("operator_no_share", word=decision.subject, names=names))
    after = await store.operators.decide(
        AuditEntry(at, decision.by, decision.act.value, _recorded(decision), decision.version),
        lambda now: settings_after(now, decision),
        has_work=decision.act in WITH_WORK,
    )
    done = [Message(f"operator_done.{decision.act}")] if decision.act in _SAID else []
    return joined("\n", *done, _status(await store.operators.overview(at), after, rules))


_SAID = (
    OperatorAct.DRAIN,
    OperatorAct.REMOVE,
    OperatorAct.ANNOUNCE,
)  # acts whose effect the status does not show


async def _settle(store: SessionStore, decision: OperatorDecision, at: float, rules: ShareRules) -> Message:
    """Decide on a notice; "removed" also removes every copy of its picture."""
    number = int(decision.subject) if decision.subject.isdecimal() else 0
    notice = await store.notices.notice(number)
    said = f"{decision.subject} {decision.outcome}"
    entry = AuditEntry(at, decision.by, decision.act.value, said)
    if notice is None or not await store.notices.settle(number, decision.outcome, entry):
        text = f"{decision.subject!r} is no open notice; mgie-bot admin notices lists them."
        raise NotUnderstood(text, Message("notice_not_open", word=decision.subject))
    if decision.outcome == "removed" and notice.image_hash:
        await carry_out(
            store, OperatorDecision(OperatorAct.REMOVE, decision.by, notice.image_hash), at, rules
        )
        return joined("\n", Message("operator_done.remove"), await listed(store, at))
    if decision.outcome == "removed":
        return joined("\n", Message("notice_without_picture"), await listed(store, at))
    return await listed(store, at)


def _recorded(decision: OperatorDecision) -> str:
    """The subject as the audit log has it."""
    if decision.act is not OperatorAct.SHARES:
        return decision.subject
    edits = "as set in the environment" if decision.edits is None else f"{decision.edits:g}"
    return f"{decision.subject} {edits}"


def settings_after(now: ServerSettings, decision: OperatorDecision) -> ServerSettings:
    """What holds everywhere after a decision. Pure."""
    act, subject = decision.act, decision.subject
    match act:
        case OperatorAct.PAUSE | OperatorAct.RESUME:
            return replace(now, is_paused=act is OperatorAct.PAUSE)
        case OperatorAct.BLOCK | OperatorAct.UNBLOCK:
            return replace(now, blocked=with_one(now.blocked, subject, act is OperatorAct.BLOCK))
        case OperatorAct.BAR | OperatorAct.REMOVE | OperatorAct.UNBAR:
            barred = with_one(now.blocked_images, subject, act is not OperatorAct.UNBAR)
            return replace(now, blocked_images=barred)
        case OperatorAct.ANNOUNCE:
            return replace(now, announcement=subject[:ANNOUNCEMENT_CHARS])
        case OperatorAct.SHARES:
            others = tuple(share for share in now.shares if share[0] != subject)
            changed = () if decision.edits is None else ((subject, decision.edits or None),)
            return replace(now, shares=(*others, *changed))
        case _:
            return now


def _status(overview: OperatorOverview, now: ServerSettings, rules: ShareRules) -> Message:
    held = rules.changed(now.shares)
    shares = [f"{name} {most:g}" for name in SHARE_NAMES if (most := getattr(held, name)) is not None]
    return Message(
        "operator_status",
        state=Message("operator_paused") if now.is_paused else Message("operator_open"),
        servers=overview.servers,
        waiting=overview.waiting,
        running=overview.running,
        users=overview.users,
        edits=round(overview.edits, 1),
        blocked=_listed(now.blocked),
        barred=_listed(now.blocked_images),
        shares=_listed(shares),
        announcement=now.announcement or Message("operator_none"),
    )


def _listed(members: Sequence[str]) -> Message:
    return verbatim(", ".join(members)) if members else Message("operator_none")


def log_lines(entries: Sequence[AuditEntry]) -> list[str]:
    """One line for each entry: when, who, what, on whom, of which version, in which server."""
    return [_line(entry) for entry in entries]


def _line(entry: AuditEntry) -> str:
    at = datetime.fromtimestamp(entry.at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    version = f"version {entry.version}" if entry.version else ""
    server = "" if entry.server in ("", EVERYWHERE) else f"in {entry.server}"
    return "  ".join(filter(None, (at, entry.by, entry.rule, entry.subject, version, server)))
