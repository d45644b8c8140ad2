"""Messages in users' languages: gettext catalogues, read by Babel; every chat renders a message once, here.

    translate = translator("de-AT")
    translate(Message("queued", version="v3"))    # "Als v3 eingereiht."

`locales/<language>/messages.po` holds the texts by code. They are compiled in memory when a language is first
used, so a clone needs no build step. A text names parameters in braces; the parameter `count` selects the
plural form.
"""

from collections.abc import Callable
from functools import cache, lru_cache
from io import BytesIO
from pathlib import Path

from babel import Locale, negotiate_locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal
from babel.support import NullTranslations, Translations

from conversations.messages import JOINED, TEXT, Message, Param

LOCALES = Path(__file__).parent / "locales"
ENGLISH = "en"

Translate = Callable[[Message], str]


@cache
def languages() -> tuple[str, ...]:
    """The codes of all languages, English first."""
    codes = {path.parent.name for path in LOCALES.glob("*/messages.po")}
    return (ENGLISH, *sorted(codes - {ENGLISH}))


def match_locale(*tags: object) -> str:
    """The first language we have for tags such as "de", "es-419" or "en_GB", best first; else English."""
    return _negotiated(tuple(str(tag or "").replace("-", "_") for tag in tags))


@lru_cache(maxsize=256)  # a start of the bot asks 13,000 times, for the texts of all commands
def _negotiated(tags: tuple[str, ...]) -> str:
    return negotiate_locale(tags, languages()) or ENGLISH


def accepted_locale(header: str | None) -> str:
    """The language of ours that the Accept-Language header of a browser prefers; English for none."""
    preferred = []
    for part in (header or "").split(","):
        tag, _, quality = part.strip().partition(";q=")
        try:
            preferred.append((-float(quality or 1), tag))
        except ValueError:
            continue
    return match_locale(*(tag for _, tag in sorted(preferred, key=lambda one: one[0])))


@cache
def translations(language: str, domain: str = "messages") -> NullTranslations:
    """The catalogue of a language; an empty one where there is no file of that domain."""
    path = LOCALES / language / f"{domain}.po"
    if not path.is_file():
        return NullTranslations()
    compiled = BytesIO()
    with path.open("rb") as file:
        write_mo(compiled, read_po(file, domain=domain))
    compiled.seek(0)
    return Translations(compiled, domain)


# The page draws all numbers of a conversation again for every step of an edit.
@lru_cache(4096)
def _number(value: float, locale: Locale) -> str:
    return str(format_decimal(value, locale=locale))


class Translator:
    """Renders messages in one language.

    words     what is done to a parameter that is plain text; it may be a user's
    verbatim  what is done to text that stands in every language; it is the bot's own
    """

    def __init__(
        self, language: str, words: Callable[[str], str] = str, verbatim: Callable[[str], str] = str
    ) -> None:
        """KeyError for a language that `languages` does not name."""
        if language not in languages():
            raise KeyError(language)
        self.language = language
        self._words = words
        self._verbatim = verbatim
        self._locale = Locale.parse(language)
        self._catalogue = translations(language)

    def __call__(self, message: Message) -> str:
        """The message in words."""
        params = message.params
        if message.code == TEXT:
            return self._verbatim(str(params["text"]))
        if message.code == JOINED:
            parts = params["parts"]
            assert isinstance(parts, tuple)
            return str(params["separator"]).join(map(self._param, parts))
        return self._text(message).format(**{name: self._param(value) for name, value in params.items()})

    def _text(self, message: Message) -> str:
        code, count = message.code, message.params.get("count")
        if isinstance(count, int) and (text := self._catalogue.ungettext(code, code, count)) != code:
            return str(text)
        return str(self._catalogue.ugettext(code))

    def _param(self, value: Param) -> str:
        if isinstance(value, Message):
            return self(value)
        if isinstance(value, tuple):
            return ", ".join(map(self._param, value))
        return self._words(value) if isinstance(value, str) else _number(value, self._locale)


@cache
def _translator(language: str) -> Translator:
    return Translator(language)


def translator(tag: object) -> Translator:
    """Renders messages in the language of ours that matches `tag`."""
    return _translator(match_locale(tag))
