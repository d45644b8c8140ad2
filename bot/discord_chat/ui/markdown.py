"""Words of users inside the bot's messages: shown as typed, never as Markdown, links or mentions.

`discord_translator` renders messages for Discord and is the one place where this happens: a parameter that is
plain text is escaped. What the workflow says verbatim is not, and may mention users and channels by key.
"""

import re
from collections.abc import Sequence
from functools import cache

from bot.i18n.catalog import Translate, Translator, match_locale
from conversations.messages import Message

_SPECIAL = re.compile(r"[\\*_~`|\[\]<>#]")
_LINK = re.compile(r"://")  # also a bare address would become a link
_LIST = re.compile(r"^[-+](?=\s)")
_EVERYBODY = re.compile(r"@(?=everyone|here)")
_ESCAPED = re.compile(r"\\([^0-9A-Za-z\s])")
_GAP = "\u200b"  # takes no room


def escape(text: str) -> str:
    """Text on one line that Discord shows as it is."""
    line = " ".join(text.split())
    line = _LINK.sub(r":\//", _SPECIAL.sub(r"\\\g<0>", line))
    return _EVERYBODY.sub(f"@{_GAP}", _LIST.sub(r"\\\g<0>", line))


def unescape(text: str) -> str:
    """What `escape` was given, but for its white space."""
    return _ESCAPED.sub(r"\1", text.replace(f"@{_GAP}", "@"))


def with_discord_mentions(text: str) -> str:
    """Replace keys of users and channels by Discord's mentions: "<@discord:4711>" → "<@4711>"."""
    return re.sub(r"<([@#])discord:(\d+)>", r"<\1\2>", text)


def discord_translator(tag: object) -> Translator:
    """As `translator`, for texts in which Discord reads Markdown."""
    return _translator(match_locale(tag))


@cache
def _translator(language: str) -> Translator:
    return Translator(language, words=escape, verbatim=with_discord_mentions)


TEXT_CHARS, LAYOUT_CHARS = 2000, 4000  # of a message without and with a layout


def plain(text: str, limit: int) -> str:
    """Text of users or models on one line, escaped, of at most `limit` characters as escaped."""
    line = " ".join(text.split())
    if len(shown := escape(line)) <= limit:
        return shown
    count = min(len(line), limit)
    while count and len(shown := escape(line[:count])) >= limit:
        count -= max(1, (len(shown) - limit) // 2)
    return shown + "…"


def fitted(lines: Sequence[str], limit: int, translate: Translate) -> str:
    """As many of these lines as fit into `limit` characters, first to last, then how many more there are."""
    whole = "\n".join(lines)
    if len(whole) <= limit:
        return whole
    for count in range(len(lines) - 1, 0, -1):
        shown = "\n".join([*lines[:count], translate(Message("and_more", count=len(lines) - count))])
        if len(shown) <= limit:
            return shown
    return lines[0][: limit - 1] + "…"
