"""Every sentence the bot says, by name; the words are in `locales/`, a file per language.

Who answers a person says so once, and every sentence made meanwhile is in their language:

    with speaking("de"):
        Say.QUEUED(version="v3")                  # "Eingereiht als v3."
"""

import re
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import Enum, auto
from functools import cache
from pathlib import Path
from typing import Any

LOCALES = Path(__file__).parent / "locales"
ENGLISH = "en"

_language: ContextVar[str] = ContextVar("language", default=ENGLISH)


@dataclass(frozen=True, slots=True)
class Phrasebook:
    """One language: the tables of its file. `words` and `overheard` are described where they are used."""

    say: Mapping[str, str]
    help: Mapping[str, str]  # by the name of a chat
    buttons: Mapping[str, str]  # by the value of an Act
    deeds: Mapping[str, str]  # by the value of a Rule: what a moderator did, for the log
    page: Mapping[str, str]  # what stands on the local page
    words: Mapping[str, tuple[str, ...]]
    overheard: Mapping[str, tuple[str, ...]]
    elsewhere: Mapping[str, str]  # sentences made by other packages


@cache
def languages() -> tuple[str, ...]:
    """The codes of all languages there are, English first."""
    codes = {path.stem for path in LOCALES.glob("*.toml")}
    return (ENGLISH, *sorted(codes - {ENGLISH}))


@cache
def phrasebook(language: str) -> Phrasebook:
    """The phrasebook of a language; KeyError for one that `languages` does not name."""
    if language not in languages():
        raise KeyError(language)
    tables: dict[str, Any] = tomllib.loads((LOCALES / f"{language}.toml").read_text("utf-8"))
    for name in ("words", "overheard"):
        tables[name] = {key: tuple(phrases) for key, phrases in tables[name].items()}
    return Phrasebook(**tables)


def known_language(tag: object) -> str:
    """The language of ours for a tag such as "de", "es-419" or "en_GB"; English for any other."""
    code = _code(tag)
    return code if code in languages() else ENGLISH


def _code(tag: object) -> str:
    return re.split(r"[-_]", str(tag or "").lower())[0]


@contextmanager
def speaking(tag: object) -> Iterator[None]:
    """Make the sentences of the block in the language of `tag`."""
    token = _language.set(known_language(tag))
    try:
        yield
    finally:
        _language.reset(token)


def spoken() -> Phrasebook:
    """The phrasebook of the language spoken now."""
    return phrasebook(_language.get())


def spoken_language() -> str:
    """The code of the language spoken now."""
    return _language.get()


def accepted_language(header: str | None) -> str:
    """The language of ours that the Accept-Language header of a browser likes best; English for none."""
    wishes = []
    for wish in (header or "").split(","):
        tag, _, quality = wish.strip().partition(";q=")
        try:
            wishes.append((-float(quality or 1), tag))
        except ValueError:
            continue
    ours = (tag for _, tag in sorted(wishes, key=lambda wish: wish[0]) if _code(tag) in languages())
    return known_language(next(ours, ENGLISH))


def translated(sentence: str) -> str:
    """A sentence made elsewhere (by the engine, by conversations) in the language spoken now.

    One that no table knows stays as it is.
    """
    if _language.get() == ENGLISH:
        return sentence
    for key, pattern in _patterns().items():
        if match := pattern.fullmatch(sentence):
            return spoken().elsewhere[key].format(**match.groupdict())
    return sentence


@cache
def _patterns() -> Mapping[str, re.Pattern[str]]:
    """What English sentences from elsewhere look like, with a group per blank."""
    return {key: blanks_to_groups(text) for key, text in phrasebook(ENGLISH).elsewhere.items()}


def blanks_to_groups(text: str) -> re.Pattern[str]:
    """A pattern for any filling of a sentence with blanks such as {version}."""
    return re.compile(re.sub(r"\\{(\w+)\\}", r"(?P<\1>.+)", re.escape(text)), re.DOTALL)


class Say(Enum):
    """A sentence; call it with what fills its blanks."""

    # which picture
    WHICH_PICTURE = auto()
    PICTURE_READY = auto()
    NO_WORDS = auto()
    TOO_LONG = auto()
    # the line
    QUEUED = auto()
    QUEUED_AFTER = auto()
    PLACE = auto()
    WAIT = auto()
    WAITS_FOR = auto()
    UPDATED = auto()
    TOO_MANY_WAITING = auto()
    QUEUE_FULL = auto()
    TOO_FAST = auto()
    RESTARTING = auto()
    UNDER_5_SECONDS = auto()
    SECONDS = auto()
    MINUTES = auto()
    HOURS = auto()
    OUT_OF_QUOTA = auto()
    # how it went
    READING = auto()
    PAINTING = auto()
    FINISHING = auto()
    FAILED = auto()
    NO_MODEL = auto()
    PARENT_FAILED = auto()
    PICTURE_GONE = auto()
    CANCELLED = auto()
    DEEP = auto()
    UNEXPECTED = auto()
    # a card
    FROM = auto()
    SHEET_FROM = auto()
    FACT_TEXT = auto()
    FACT_IMAGE = auto()
    FACT_STEPS = auto()
    FACT_SEED = auto()
    FACT_SECONDS = auto()
    FACT_CHANGED = auto()
    # moves
    BACK_AT = auto()
    NOW_AT = auto()
    NO_SESSION = auto()
    NEW_SESSION = auto()
    NOT_YOURS = auto()
    NOTHING_TO_CANCEL = auto()
    STOPPED = auto()
    ALREADY_OVER = auto()
    NOTHING_TO_VARY = auto()
    VERSIONS = auto()
    COMPARED = auto()
    NOTHING_TO_COMPARE = auto()
    NOT_FINISHED = auto()
    # the line, from outside
    NOTHING_QUEUED = auto()
    YOUR_QUEUE = auto()
    MY_TURN = auto()
    NEW_WOULD_WAIT = auto()
    # about
    INFO = auto()
    READY = auto()
    LOADING = auto()
    LICENCE = auto()
    HELP = auto()
    # settings
    SAVED_SETTINGS = auto()
    RESET_SETTINGS = auto()
    NOT_A_SEED = auto()
    NO_CHANNEL_RIGHT = auto()
    SCOPE_SESSION = auto()
    SCOPE_PERSON = auto()
    SCOPE_CHANNEL = auto()
    SCOPE_BOT = auto()
    KNOB_TEXT_CFG = auto()
    KNOB_IMAGE_CFG = auto()
    KNOB_STEPS = auto()
    KNOB_SEED = auto()
    KNOB_SAMPLER = auto()
    KNOB_KEEP = auto()
    GRID_SIZE = auto()
    RANDOM = auto()
    # whose picture
    CONSENT_ASKED = auto()
    CONSENT_REFUSED = auto()
    CONSENT_NOT_YOURS = auto()
    CONSENT_OVER = auto()
    CONSENT_ONCE = auto()
    CONSENT_ALWAYS = auto()
    CONSENT_NEVER = auto()
    CONSENT_EVERYBODY = auto()
    CONSENT_NOBODY = auto()
    CONSENT_BY_ASKING = auto()
    LOCKED = auto()
    SHARED = auto()
    NOT_YOUR_SESSION = auto()
    # privacy
    KEPT = auto()
    KEPT_FOR_GOOD = auto()
    EXPORTED = auto()
    FORGET_SURE = auto()
    FORGOTTEN = auto()
    DELETED = auto()
    NOTHING_KEPT = auto()
    # where the chat itself says no
    MAY_NOT_POST = auto()
    NOT_DOWNLOADED = auto()
    TRIED_TWICE = auto()
    FILE_TOO_LARGE = auto()
    SHRUNK = auto()
    OLD_BUTTON = auto()
    TOO_LATE = auto()
    # what moderators decide
    PAUSED = auto()
    CHANNEL_CLOSED = auto()
    BLOCKED = auto()
    ONLY_OWN = auto()
    PICTURE_BARRED = auto()
    RESULT_FILTERED = auto()
    ONLY_IN_SERVERS = auto()
    NOT_A_MODERATOR = auto()
    HOUSE_STATUS = auto()
    HOUSE_OPEN = auto()
    HOUSE_PAUSED = auto()
    HOUSE_LIMITS = auto()
    HOUSE_OWN_ONLY = auto()
    HOUSE_BY_CONSENT = auto()
    NO_LIMIT = auto()
    LOG_EMPTY = auto()
    RULED_PAUSED = auto()
    RULED_RESUMED = auto()
    RULED_OPEN = auto()
    RULED_HIDDEN = auto()
    RULED_CLOSED = auto()
    RULED_OVERHEARD = auto()
    RULED_IGNORED = auto()
    RULED_REPORTS = auto()
    RULED_LIMITS = auto()
    RULED_OWN_ONLY = auto()
    RULED_BY_CONSENT = auto()
    RULED_BLOCKED = auto()
    RULED_UNBLOCKED = auto()
    RULED_CANCELLED = auto()
    RULED_REMOVED = auto()
    RULED_BARRED = auto()
    RULED_LIFTED = auto()
    RULED_DISMISSED = auto()
    REPORT_TOLD = auto()
    APPEAL_TOLD = auto()
    APPEALED = auto()
    APPEAL_OVER = auto()
    NOBODY_TO_APPEAL_TO = auto()
    # on Discord
    PING_OFF = auto()
    TIP = auto()
    NO_VERSION_THERE = auto()
    NO_PICTURE_THERE = auto()
    QUESTION_POSTED = auto()
    REPORTED = auto()
    REPORTED_HERE = auto()
    REPORT_TITLE = auto()
    WHAT_IS_WRONG = auto()
    NO_REPLIES_HERE = auto()
    LINE_TOO_LONG_HERE = auto()
    REFINE_TITLE = auto()
    EDIT_TITLE = auto()
    CORRECT_TITLE = auto()
    WHAT_TO_CHANGE = auto()
    FOR_EXAMPLE = auto()
    HOW_UNDERSTOOD = auto()
    HOW_STRONGLY = auto()
    AS_IT_IS = auto()
    AUTO = auto()
    FAITHFUL = auto()
    BALANCED = auto()
    BOLD = auto()
    FROM_WHERE = auto()
    THE_ORIGINAL = auto()
    ANOTHER_PHOTO = auto()
    MORE = auto()
    STRENGTHS = auto()
    AS_PNG = auto()
    KEEP_STRICT = auto()
    KEEP_OFF = auto()
    LOCK_SEED = auto()
    RANDOM_SEED = auto()
    GO_ON_FROM = auto()
    BEFORE = auto()
    AFTER = auto()
    AS_UPLOADED = auto()
    ASKED = auto()
    UNDERSTOOD = auto()
    CHANGE_MAP = auto()
    PREVIEW = auto()

    def __call__(self, **values: object) -> str:
        """The sentence in the language spoken now, with its blanks filled."""
        return spoken().say[self.name].format(**values)
