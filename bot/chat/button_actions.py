"""The buttons on cards and messages, the same in every chat."""

from enum import StrEnum


class ButtonAction(StrEnum):
    """What a button on a card does; chats put the value into the button's id."""

    CANCEL = "cancel"
    REFINE = "refine"  # needs words: the chat asks for them, then sends EditAsked(turn=…)
    UNDO = "undo"
    RETRY = "retry"
    SUBTLER = "subtler"
    STRONGER = "stronger"
    GO_TO = "go_to"
    COMPARE = "compare"
    CORRECT = "correct"  # needs words: the chat asks for a reading, then sends VariationAsked(CORRECTED)
    FROM_ORIGINAL = "from_original"
    LOCK = "lock"
    SHARE = "share"
    DELETE = "delete"
    DELETE_SESSION = "delete_session"  # with any turn of it
    ALLOW_ONCE = "allow_once"  # these three: with Note.about in place of a turn id
    ALLOW_ALWAYS = "allow_always"
    REFUSE = "refuse"
    SAY = "say"  # sends the text that it holds (Button.says), else the words that its message holds
    FORGET_ME = "forget_me"  # with nothing in place of a turn id
    MY_EDITS = "my_edits"  # the same
    DO_IT = "do_it"  # these two: on a question whether the instruction was understood
    DO_OTHER = "do_other"
    SEEDS = "seeds"  # the same edit with other seeds, side by side
    PICK = "pick"  # a cell of a grid, whose number (Button.says) begins at 1
    SHOWCASE = "showcase"  # share a result in the showcase of the server
    TAKE_BACK = "take_back"  # on such a copy
    HIDE = "hide"  # put a result behind a spoiler
    REPORT = "report"  # needs words: the chat asks what is wrong, then sends ReportAsked
    APPEAL = "appeal"  # with an image hash or a turn id
    REMOVE = "remove"  # these and what follows: on what moderators see
    BLOCK_IMAGE = "bar"
    BLOCK = "block"
    DISMISS = "dismiss"
    UNBLOCK_IMAGE = "lift"  # with an image hash in place of a turn id


NEEDS_WORDS = (ButtonAction.REFINE, ButtonAction.CORRECT, ButtonAction.REPORT)
CONSENTS = (ButtonAction.ALLOW_ONCE, ButtonAction.ALLOW_ALWAYS, ButtonAction.REFUSE)
DECISIONS = (
    ButtonAction.REMOVE,
    ButtonAction.BLOCK_IMAGE,
    ButtonAction.BLOCK,
    ButtonAction.DISMISS,
    ButtonAction.UNBLOCK_IMAGE,
)
