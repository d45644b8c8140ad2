"""What the text of a message asks for, as plain values. `conversations.intents.sort_text` finds it out."""

from dataclasses import dataclass
from enum import StrEnum


class Asks(StrEnum):
    """What a message asks for."""

    EDIT = "edit"
    CONTROL = "control"  # a text command
    HELP = "help"  # a question about the bot
    IGNORE = "ignore"  # thanks, chatter, nothing
    UNSURE = "unsure"  # perhaps an edit or a command


class CommandWord(StrEnum):
    """What a text command asks for; the value is its key in the tables, whose order is that of trying."""

    REJECT = "reject"  # "not like that": undo, with the question what was meant instead
    UNDO = "undo"
    REDO = "redo"
    FROM_ORIGINAL = "from_original"
    START_OVER = "start_over"
    GO_TO = "go_to"
    SEEDS = "seeds"
    AGAIN = "again"
    STRONGER = "stronger"
    SUBTLER = "subtler"
    COMPARE = "compare"
    STOP = "stop"
    HISTORY = "history"
    SHOW = "show"
    HELP = "help"


@dataclass(frozen=True, slots=True)
class TextCommand:
    """A text command as typed.

    `version`: "v2" or LATEST, with GO_TO, COMPARE and SHOW; `place`: 2 of "the second one", which may also
    be a cell of a grid, with GO_TO; `steps`: how many with UNDO and SEEDS, there at most 1 for "a few";
    `is_slight`: "a bit more".
    """

    word: CommandWord
    version: str | None = None
    steps: int = 1
    is_slight: bool = False
    place: int | None = None


LATEST = "latest"  # the version that was made last


class YesNo(StrEnum):
    """An answer to a question; the value is its key in the tables. ALWAYS: yes, also in future."""

    YES = "yes"
    ALWAYS = "always"
    NO = "no"


class OtherPicture(StrEnum):
    """Which other picture the user's last instruction is meant for."""

    HERE = "here"  # the one beside the words: "this one too"
    ELSEWHERE = "elsewhere"  # one that the words name, but do not show: "wrong picture"


@dataclass(frozen=True, slots=True)
class SortedText:
    """A text and what it asks for.

    words        the text without markup, on one line
    command      the one that is given, or may be meant where it is unsure
    is_thanks    it holds thanks or praise
    is_pointing  it only points at the picture beside it: "this one"
    answer       what it answers to a question of the bot, if it is no more than an answer
    first        what is to be done before the edit that `words` ask for: "undo that and make it blue"; or how
                 many results it is to have: "make it blue, four versions"
    other        that the user's last instruction is meant for another picture, and where that is
    place        which of several results it names, from 1, if it does no more: "the second one", "2"
    amendment    what it adds to the last edit, if it does no more: "except the red", "just the sky"
    is_same_area  it named the region that was marked before; `words` are without that
    is_read      it is in a language that the model reads; asked only of what may be an instruction
    """

    words: str
    asks: Asks
    command: TextCommand | None = None
    is_thanks: bool = False
    is_pointing: bool = False
    answer: YesNo | None = None
    is_read: bool = True
    is_same_area: bool = False
    first: TextCommand | None = None
    other: OtherPicture | None = None
    place: int | None = None
    amendment: str | None = None

    @property
    def is_chatter(self) -> bool:
        """Whether it asks for no act: no words, thanks, a remark, a question."""
        return self.asks in (Asks.IGNORE, Asks.HELP)
