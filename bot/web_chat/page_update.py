"""What the page should show after an event."""

from dataclasses import dataclass

from bot.chat.events import ButtonAction
from bot.chat.replies import (
    AskTarget,
    Comparison,
    Erased,
    Note,
    Reacted,
    Reply,
    SessionSummary,
    SettingsPanel,
    ShownVersion,
)
from bot.web_chat.forms import ActForm
from bot.web_chat.page_state import Choice, PageState
from conversations.messages import Message, parts_of, verbatim


@dataclass(frozen=True, slots=True)
class PageUpdate:
    """What the page should show now.

    state     the versions and the current one of this user
    revision  what this update has seen; a later update of the same run has a higher number
    notice    a message, if there is one
    choices   the buttons under it
    is_taken  the instruction was answered: clear its field
    comparison  two versions to show beside each other, if they were asked for
    sessions  all pictures of this user, where the page is to show them
    public    what the bot says about itself to everybody, with `sessions`
    """

    state: PageState
    revision: str = ""
    notice: Message | None = None
    choices: tuple[Choice, ...] = ()
    is_taken: bool = False
    comparison: Comparison | None = None
    sessions: tuple[SessionSummary, ...] | None = None
    public: tuple[Message, ...] = ()

    @property
    def reading(self) -> str:
        """The expressive instruction of the current version."""
        current = self.state.current
        return (current.expressive or "") if current else ""


def choices_of(reply: Reply | None) -> tuple[Choice, ...]:
    """The buttons of a reply that the page can press."""
    if not isinstance(reply, Note):
        return ()
    made = []
    for button in reply.buttons:
        about = button.says or reply.about
        is_typed = button.act is ButtonAction.SAY and not button.says
        act, about = ("as_typed", reply.words) if is_typed else (str(button.act), about)
        made.append(Choice(act, about, button.label))
    return tuple(choice for choice in made if choice.act in ActForm.model_fields)


# What is said beside a version, and the page does not show by itself.
SHOWN_NOTES = {"what_instead", "already_at", "question_dropped", "stopped"}


def message_of(reply: Reply | None) -> Message | None:
    """What a reply has to say on the page, which tells most by what it shows."""
    match reply:
        case AskTarget():  # the page always names a version, so there is none
            return Message("no_session")
        case ShownVersion(note) if SHOWN_NOTES & {part.code for part in parts_of(note)}:
            return note
        case ShownVersion(note, card) if note == verbatim(card.version):  # "show v2"
            return Message("page.in_film", version=card.version)
        case Reacted(emoji=str()):
            return Message("page.thanked")
        case Note(text) | Reacted(text) | SettingsPanel(text) | Erased(text):
            return text
        case _:
            return None
