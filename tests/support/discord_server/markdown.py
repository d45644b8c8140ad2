"""Discord's markdown, as much of it as bots use, drawn as HTML."""

import html
import re
import time
from collections.abc import Callable, Mapping

_RULES: tuple[tuple[str, str | Callable[[re.Match[str]], str]], ...] = (
    (r"`([^`]+)`", r"<code>\1</code>"),
    (r"\*\*(.+?)\*\*", r"<b>\1</b>"),
    (r"(?<![\w*])\*(?!\s)([^*\n]+?)\*(?![\w*])", r"<i>\1</i>"),
    (r"\[([^\]]+)\]\((https?://[^)\s]+)\)", r'<a href="\2">\1</a>'),
    (r"&lt;t:(\d+):R&gt;", lambda m: f"<span class=time>{_moment(int(m[1]))}</span>"),
)


def draw(text: str, names: Mapping[int, str]) -> str:
    """HTML for `text`; `names` gives the display name of each person and channel that may be mentioned."""
    return "".join(_line(line, names) for line in text.split("\n"))


def _line(line: str, names: Mapping[int, str]) -> str:
    kind, line = _block(line)
    drawn = re.sub(
        r"\\(&lt;|&gt;|&amp;|[^0-9A-Za-z\s])",
        lambda m: f"&#{ord(html.unescape(m[1]))};",
        html.escape(line, quote=False),
    )
    for pattern, replacement in _RULES:
        drawn = re.sub(pattern, replacement, drawn)
    drawn = re.sub(
        r"&lt;@!?(\d+)&gt;", lambda m: f"<span class=at>@{names.get(int(m[1]), 'someone')}</span>", drawn
    )
    drawn = re.sub(
        r"&lt;#(\d+)&gt;", lambda m: f"<span class=at>#{names.get(int(m[1]), 'gone')}</span>", drawn
    )
    return f"<div class={kind}>{drawn or '&nbsp;'}</div>"


def _moment(at: int) -> str:
    """A time as Discord words it, near enough."""
    return "in a moment" if at > time.time() else "a moment ago"


def _block(line: str) -> tuple[str, str]:
    """The kind of a line by how it begins, and the rest of it."""
    for start, kind in (("-# ", "small"), ("### ", "h3"), ("## ", "h2"), ("# ", "h1"), ("> ", "quote")):
        if line.startswith(start):
            return kind, line.removeprefix(start)
    return "line", line
