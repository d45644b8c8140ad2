"""Spoilers on messages that are posted already, without sending their pictures again."""

import asyncio
import logging
from collections.abc import Collection
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import urlsplit

import discord
from discord.http import Route

from bot.discord_chat.errors import REQUEST_ERRORS
from bot.discord_chat.ids import MessagePlace

TIMEOUT_S = 120.0  # Discord takes some five changes in five seconds in a channel
_THUMBNAIL, _GALLERY = 11, 12  # kinds of components
_COMPONENTS_V2 = 1 << 15  # of a message made of components alone; it must not be taken off
log = logging.getLogger(__name__)


async def hide_posted(client: discord.Client, keys: Collection[str]) -> int:
    """Put the pictures of these messages behind spoilers; how many messages were changed.

    Those that are gone, or that Discord does not let change any more, are left out.
    """
    changed = 0
    try:
        async with asyncio.timeout(TIMEOUT_S):
            for place in filter(None, map(MessagePlace.of, keys)):
                changed += await _hide(client, place)
    except TimeoutError:
        log.warning("only %d of %d messages were put behind spoilers in time", changed, len(keys))
    return changed


async def _hide(client: discord.Client, place: MessagePlace) -> bool:
    try:
        message: dict[str, Any] = dict(await client.http.get_message(place.channel, place.message))
        if client.user is None or int(message["author"]["id"]) != client.user.id:
            return False
        changes = hidden(message)
        if not changes:
            return False
        path = "/channels/{channel_id}/messages/{message_id}"
        route = Route("PATCH", path, channel_id=place.channel, message_id=place.message)
        await client.http.request(route, json=changes)
    except REQUEST_ERRORS as error:
        log.info("message %s was not put behind spoilers: %s", place, error)
        return False
    return True


def hidden(message: dict[str, Any]) -> dict[str, Any]:
    """The fields to change of a message as Discord gives it; none where it shows no picture."""
    if components := message.get("components"):
        made, count = _hidden_components(components)
        return {"components": made, "flags": message.get("flags", 0) & _COMPONENTS_V2} if count else {}
    files = [{"id": file["id"], "is_spoiler": True} for file in message.get("attachments", ())]
    return {"attachments": files} if files else {}


def _hidden_components(components: list[dict[str, Any]]) -> tuple[list[dict[str, Any]], int]:
    made, count = [], 0
    for component in components:
        changed = dict(component)
        for name in ("components", "items"):
            if name in changed:
                is_gallery = component["type"] == _GALLERY and name == "items"
                parts = changed[name]
                inner = [_behind(part) for part in parts] if is_gallery else None
                changed[name], below = (inner, len(inner)) if inner else _hidden_components(parts)
                count += below
        if isinstance(beside := changed.get("accessory"), dict) and beside["type"] == _THUMBNAIL:
            changed["accessory"] = _behind(beside)
            count += 1
        made.append(changed)
    return made, count


def _behind(shown: dict[str, Any]) -> dict[str, Any]:
    """A picture behind a spoiler. It is named as the attachment that it is: its address expires."""
    name = PurePosixPath(urlsplit(shown["media"]["url"]).path).name
    return {**shown, "media": {"url": f"attachment://{name}"}, "spoiler": True}
