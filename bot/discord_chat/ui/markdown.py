"""Words of users inside the bot's messages: shown as typed, never as Markdown, links or mentions.

`discord_translator` renders messages for Discord and is the one place where this happens: a parameter that is
plain text is escaped. What the workflow says verbatim is not, and may mention users and channels by key.
"""

import re
from functools import cache

from bot.i18n.catalog import Translator, match_locale

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
