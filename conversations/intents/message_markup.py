"""Takes off what chats put into a text besides words: mentions, custom emoji, links, quotes, formatting."""

import re

_FENCE = re.compile(r"```(?:\w+\n)?(.*?)(?:```|\Z)", re.DOTALL)
_QUOTE = re.compile(r"^\s*>>> [\s\S]*|^\s*> .*$", re.MULTILINE)
_OBJECTS = re.compile(
    r"<a?:\w+:\d+>"  # custom emoji
    r"|<@[!&]?\d+>|<#\d+>|<id:\w+>"  # mentions of users, roles, channels
    r"|<t:-?\d+(?::\w)?>"  # times
    r"|\[[^\]\n]*\]\(<?https?://[^)\s]*>?\)"  # masked links
    r"|<?\bhttps?://\S+"
)
_COMMAND = re.compile(r"</([\w -]+):\d+>")  # a mention of a slash command: its name counts
_FORMAT = re.compile(r"\*{1,3}|_{2}|~~|\|\||`+|^\s*(?:#{1,3}|-#|[-*]) ", re.MULTILINE)
_UNDERLINE = re.compile(r"(?<!\w)_([^_\n]+)_(?!\w)")
_SHORTCODE = re.compile(r"(?<!\w):[a-z][a-z0-9_+-]*:(?!\w)")
_STUCK_EMOJI = re.compile(r"(?<=\w)[^\w\s.,!?;:…%°\"'’”)\]\-]+(?=[.,!?;…]*$)")
_VERSION_EMOJI = re.compile(r"[\uFE0F\u200D\U0001F3FB-\U0001F3FF]")


def strip_markup(text: str) -> str:
    """The words of a message on one line; "" where it holds none.

    A quoted line is another message's. A code block counts only where nothing else is there. Unicode emoji at
    the end go, since they only say how the rest is meant; "add a 🌈" keeps its own.
    """
    text = _QUOTE.sub(" ", _COMMAND.sub(r"/\1", text))
    alone = _words(_FENCE.sub(" ", text))
    return _without_emoji(alone or _words(_FENCE.sub(r" \1 ", text)))


def whole_characters(text: str) -> str:
    """A text as it can be stored: broken halves of characters become question marks."""
    return text.encode("utf-8", "replace").decode("utf-8").strip()


def _words(text: str) -> str:
    text = _SHORTCODE.sub(" ", _OBJECTS.sub(" ", text))
    text = _UNDERLINE.sub(r"\1", _FORMAT.sub("", text))
    return " ".join(text.split())


def _without_emoji(text: str) -> str:
    """The text without emoji at its start and its end; those after an article or a preposition are words."""
    text = _VERSION_EMOJI.sub("", text)
    words = text.split()
    while words and not _has_word(words[0]):
        words.pop(0)
    while words and not _has_word(words[-1]) and not _is_thing(words):
        last = words.pop()
        if words and (marks := re.sub(r"[^.,!?;…]", "", last)):
            words[-1] += marks
    return " ".join(_STUCK_EMOJI.sub("", word) for word in words)


def _has_word(word: str) -> bool:
    return any(sign.isalnum() for sign in word) or word in ("->", "=>", "→", "+", "=")


def _is_thing(words: list[str]) -> bool:
    """Whether the emoji at the end stands for a thing: "add a 🌈", "replace it with 🐶"."""
    return len(words) > 1 and _BEFORE_THINGS.fullmatch(words[-2].casefold()) is not None


_BEFORE_THINGS = re.compile(r"an?|the|some|more|with|add|into|eine?[mnrs]?|mehr|mit|un[ao]?s?|con|más|en|de")
