"""`mgie-bot admin`: what the operator decides for all servers, direct messages and the page; the bot may run.

A decision is a row of the tables of servers, under EVERYWHERE, so the rules of admission ask for it like for
those of moderators. Each is in the operator's audit log.
"""

import argparse
import asyncio
import getpass
import json
import re
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path

from bot.errors import CannotStart
from bot.ops.data_folder import DATABASE, check_data_folder
from bot.policy.picture_marks import HASH_CHARS, BarredPicture, barred_picture
from conversations.errors import ConversationError
from conversations.images.sandbox import read_picture
from conversations.servers import EVERYWHERE, AuditEntry, ServerSettings
from conversations.store.session_store import SessionStore

LOG_SHOWN = 1000
_USER = re.compile(r"[a-z]+:\S+")
_HASH = re.compile(rf"[0-9a-f]{{{HASH_CHARS}}}")
Change = Callable[[ServerSettings], ServerSettings]


def add_admin_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `admin` with its own sub-commands to a parser."""
    admin = commands.add_parser("admin", help="decide for all servers; the bot may go on running")
    acts = admin.add_subparsers(dest="act", required=True, metavar="ACT")
    acts.add_parser("status", help="what is decided now")
    acts.add_parser("pause", help="take no new edits anywhere")
    acts.add_parser("resume", help="take edits again")
    for name, text in (("block", "refuse a user's edits everywhere"), ("unblock", "allow them again")):
        acts.add_parser(name, help=text).add_argument("subject", metavar="USER", help="such as discord:42")
    for name, text in (("bar", "neither take nor show a picture and its likes"), ("unbar", "allow it again")):
        acts.add_parser(name, help=text).add_argument(
            "subject", metavar="PICTURE", help="a file, or its hash"
        )
    shown = acts.add_parser("log", help="who decided what, and when; newest first")
    shown.add_argument("--about", metavar="WHOM", help="only this user or hash")
    shown.add_argument("--json", action="store_true", help="one line of JSON for each")


async def administered(data_dir: Path, chosen: argparse.Namespace) -> str:
    """Do what was chosen and say what holds now. CannotStart where the subject cannot be read."""
    await asyncio.to_thread(check_data_folder, data_dir)
    async with SessionStore.open(data_dir / DATABASE) as store:
        if chosen.act == "log":
            entries = await store.servers.audit_log(EVERYWHERE, LOG_SHOWN, chosen.about)
            return "\n".join(_line(entry, as_json=chosen.json) for entry in entries)
        if chosen.act == "status":
            return _status(await store.servers.change(EVERYWHERE, lambda now: now))
        given = getattr(chosen, "subject", "")
        is_picture = chosen.act in ("bar", "unbar")
        subject = await _picture(store, given) if is_picture else _subject(chosen.act, given)
        entry = AuditEntry(time.time(), f"operator:{getpass.getuser()}", chosen.act, subject)
        return _status(await store.servers.change(EVERYWHERE, _change(chosen.act, subject), entry))


def _subject(act: str, given: str) -> str:
    """The key of the user that is meant, or ""."""
    if act in ("block", "unblock"):
        user = f"discord:{given}" if given.isdecimal() else given
        if not _USER.fullmatch(user):
            raise CannotStart(f"{given!r} names no user; write it as in an export, such as discord:42.")
        return user
    return ""


async def _picture(store: SessionStore, given: str) -> str:
    """The hash of the picture that is meant, whose mark is saved."""
    if _HASH.fullmatch(given):
        return given
    barred = await asyncio.to_thread(_mark_of, Path(given))
    if barred is None:
        raise CannotStart(f"{given} has too little in it to be found again.")
    await store.servers.add_picture_mark(barred.hash, barred.to_bytes())
    return barred.hash


def _mark_of(file: Path) -> BarredPicture | None:
    try:
        return barred_picture(read_picture(file.read_bytes()).png)
    except OSError as error:
        raise CannotStart(
            f"{file} is no hash of {HASH_CHARS} digits and no file: {error.strerror}."
        ) from error
    except ConversationError as error:
        raise CannotStart(f"{file}: {error}") from error


def _change(act: str, subject: str) -> Change:
    match act:
        case "pause" | "resume":
            return lambda now: replace(now, is_paused=act == "pause")
        case "block" | "unblock":
            return lambda now: replace(now, blocked=_with(now.blocked, subject, is_in=act == "block"))
        case _:
            return lambda now: replace(
                now, blocked_images=_with(now.blocked_images, subject, is_in=act == "bar")
            )


def _with(group: tuple[str, ...], member: str, *, is_in: bool) -> tuple[str, ...]:
    others = tuple(other for other in group if other != member)
    return (*others, member) if is_in else others


def _status(now: ServerSettings) -> str:
    none = "none"
    return (
        f"new edits         {'paused' if now.is_paused else 'taken'}\n"
        f"blocked users     {', '.join(now.blocked) or none}\n"
        f"barred pictures   {', '.join(now.blocked_images) or none}"
    )


def _line(entry: AuditEntry, *, as_json: bool) -> str:
    if as_json:
        return json.dumps(asdict(entry))
    at = datetime.fromtimestamp(entry.at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return f"{at}  {entry.by}  {entry.rule}  {entry.subject}".rstrip()
