"""`mgie-bot admin`: what the operator decides for all servers, direct messages and the page; the bot may run.

The same decisions as `/operator` on Discord, see bot.workflow.operator_decisions.
"""

import argparse
import asyncio
import getpass
import json
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TypeVar

from bot.chat.operator_events import OUTCOMES, OperatorAct
from bot.errors import CannotStart
from bot.i18n.catalog import ENGLISH, translator
from bot.ops.data_folder import DATABASE, IMAGES, check_data_folder
from bot.ops.instance_lock import is_running
from bot.policy.picture_marks import HASH_CHARS, barred_picture
from bot.settings import Settings
from bot.workflow.operator_decisions import (
    ANNOUNCEMENT_CHARS,
    NotUnderstood,
    OperatorDecision,
    carry_out,
    is_hash,
    log_lines,
    user_meant,
)
from bot.workflow.picture_checks import mark_of_version, save_barred
from conversations.errors import ConversationError, NoSuchVersion, StoreError
from conversations.images.image_store import ImageStore
from conversations.images.sandbox import read_picture
from conversations.servers import AuditEntry
from conversations.shares import SHARE_NAMES
from conversations.store.session_store import SessionStore
from mgie_engine.errors import RequestRefused

LOG_PRINTED = 1000
T = TypeVar("T")
AS_SET = "default"  # in place of a number of edits


def add_admin_command(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `admin` with its own sub-commands to a parser."""
    admin = commands.add_parser("admin", help="decide for all servers; the bot may go on running")
    acts = admin.add_subparsers(dest="act", required=True, metavar="ACT")
    acts.add_parser("status", help="what is decided now")
    acts.add_parser("pause", help="take no new edits anywhere")
    acts.add_parser("resume", help="take edits again")
    acts.add_parser("drain", help="end running edits, keep the queue for the next start, and stop the bot")
    for name, text in (("block", "refuse a user's edits everywhere"), ("unblock", "allow them again")):
        acts.add_parser(name, help=text).add_argument("subject", metavar="USER", help="such as discord:42")
    for name, text in (
        ("bar", "neither take nor show a picture and its likes"),
        ("unbar", "allow it again"),
        ("remove", "bar it, and erase every version that shows it or its likes"),
    ):
        acts.add_parser(name, help=text).add_argument(
            "subject", metavar="PICTURE", help="a file, its hash, or the id of a version"
        )
    announced = acts.add_parser("announce", help="announce a text in every server, in /info and on the page")
    announced.add_argument("subject", metavar="TEXT", help='"" ends the announcement')
    shares = acts.add_parser("shares", help="change a limit of shares")
    shares.add_argument("subject", metavar="LIMIT", choices=SHARE_NAMES, help=", ".join(SHARE_NAMES))
    shares.add_argument("edits", metavar="EDITS", help=f"0: no limit; {AS_SET}: as the environment says")
    acts.add_parser("notices", help="requests to remove a picture that wait for a decision")
    settled = acts.add_parser("settle", help="decide on a request to remove a picture")
    settled.add_argument("subject", metavar="NUMBER", help="of the notice")
    settled.add_argument(
        "outcome", choices=OUTCOMES, help="removed: with all copies, if the picture is known"
    )
    shown = acts.add_parser("log", help="who decided what, and when, in all servers; newest first")
    shown.add_argument("--about", metavar="WHOM", help="only this user, hash or version")
    shown.add_argument("--json", action="store_true", help="one line of JSON for each")


async def administered(settings: Settings, chosen: argparse.Namespace) -> str:
    """Do what was chosen and say what holds now. CannotStart where the subject cannot be read."""
    data = settings.data_dir
    await asyncio.to_thread(check_data_folder, data)
    async with SessionStore.open(data / DATABASE) as store:
        if chosen.act == "log":
            entries = await store.servers.audit_log(None, LOG_PRINTED, chosen.about)
            return "\n".join(json.dumps(asdict(e)) for e in entries) if chosen.json else _lines(entries)
        act = OperatorAct(chosen.act)
        if act is OperatorAct.DRAIN and not is_running(data):
            raise CannotStart(f"No mgie-bot works on {data.resolve()}; there is nothing to drain.")
        try:
            subject, version = await _subject(store, ImageStore(data / IMAGES), chosen)
            by = f"operator:{getpass.getuser()}"
            edits, outcome = _edits(getattr(chosen, "edits", AS_SET)), getattr(chosen, "outcome", "")
            decision = OperatorDecision(act, by, subject, version, edits, outcome)
            said = await carry_out(store, decision, time.time(), settings.limits.shares)
        except NotUnderstood as error:
            raise CannotStart(str(error)) from error
        return translator(ENGLISH)(said)


def _lines(entries: tuple[AuditEntry, ...]) -> str:
    return "\n".join(log_lines(entries))


async def _subject(store: SessionStore, images: ImageStore, chosen: argparse.Namespace) -> tuple[str, str]:
    """The key of the user, the hash or the text that is meant, and the version that was named, if any."""
    given = getattr(chosen, "subject", "")
    if chosen.act in ("block", "unblock"):
        return user_meant(given), ""
    if chosen.act not in ("bar", "unbar", "remove") or is_hash(given):
        return given[:ANNOUNCEMENT_CHARS], ""

    async def draw(work: Callable[..., T], keys: Iterable[str]) -> T:
        return await asyncio.to_thread(lambda: work(*map(images.get, keys)))

    try:
        if await asyncio.to_thread(Path(given).is_file):
            barred = await asyncio.to_thread(
                lambda: barred_picture(read_picture(Path(given).read_bytes()).png)
            )
            return await save_barred(store, barred), ""
        return await mark_of_version(store, given, draw), given
    except StoreError:
        raise
    except NoSuchVersion as error:
        raise CannotStart(f"{given} is no hash of {HASH_CHARS} digits, no file, and no version.") from error
    except (OSError, ConversationError, RequestRefused) as error:
        raise CannotStart(f"{given}: {error}") from error


def _edits(given: str) -> float | None:
    """A number of edits; None for AS_SET."""
    if given == AS_SET:
        return None
    try:
        edits = float(given)
    except ValueError:
        edits = -1.0
    if not 0 <= edits <= 1_000_000:
        raise CannotStart(f"{given!r} is no number of edits from 0 to 1000000, nor {AS_SET!r}.")
    return edits
