"""The user's last instruction, meant for another picture: "same for this one", "wrong picture"."""

from contextlib import suppress
from dataclasses import replace

from bot.chat.events import EditAsked, Event
from conversations.errors import NoSuchVersion
from conversations.intents.sorted_text import OtherPicture
from conversations.store.session_store import SessionStore
from conversations.turn import Turn


async def for_another(store: SessionStore, asked: EditAsked, other: OtherPicture) -> EditAsked | None:
    """The edit that a text asks for which means the user's last instruction for another picture; else None.

    That picture is with the text, replied to, or was given just before and not edited yet. "Wrong picture"
    asks for it; "this one too" alone does not. With a picture in reply to a version, the instruction of that
    version is meant, whoever gave it.
    """
    is_shown = asked.own is not None or (asked.replied is not None and asked.turn is None)
    if not is_shown and other is not OtherPicture.ELSEWHERE:
        earlier = await _words_before(store, asked)
        return replace(asked, text=earlier, said=None) if earlier else None
    words = await _words_replied_to(store, asked) or await _last_words(store, asked)
    if is_shown:
        return replace(asked, text="", said=None, last_words=words)
    return replace(asked, text=words, said=None, turn=None, reply_to=None, is_elsewhere=True)


async def _words_replied_to(store: SessionStore, asked: EditAsked) -> str:
    """What was asked for the version that a text with a picture replies to; "" without one."""
    if asked.own is None or not asked.reply_to or asked.turn is None:
        return ""
    with suppress(NoSuchVersion):
        return (await store.turn(asked.turn)).instruction
    return ""


async def _words_before(store: SessionStore, asked: EditAsked) -> str:
    """What the user asked for last of an earlier picture here; "" if the one here has edits already."""
    session = await store.session_for_channel(asked.channel, asked.user)
    if session is None or len(session.turns) > 1:
        return ""
    last = next(iter(await store.turns_by(asked.user, 1)), None)
    is_here = last is not None and (await store.session(last.session_id)).channel == asked.channel
    return last.instruction if last is not None and is_here else ""


async def _last_words(store: SessionStore, event: Event) -> str:
    """The instruction that the user gave last in this channel; "" without one."""
    session = await store.session_for_channel(event.channel, event.user)
    if session is None or not session.has_head(event.user):
        return ""
    turn: Turn | None = session.turn(session.heads[event.user].turn_id)
    while turn is not None and (turn.user != event.user or not turn.instruction):
        turn = session.parent_of(turn)
    return "" if turn is None else turn.instruction
