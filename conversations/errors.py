"""Every error this package raises on purpose.

ConversationError
├── SessionError           the talk cannot move that way
│   ├── NothingToUndo      the head is the uploaded picture
│   ├── NothingToRedo      no undone version is left to return to
│   ├── NoSuchVersion      no version of that number or id here
│   └── VersionHasNoPicture   that version failed or was cancelled, so nothing can start from it
├── SettingsRefused        a knob lies outside its range
├── PictureRefused         these bytes are no picture we accept
├── PictureMissing         the image store has no picture of that key
└── StoreError             the store cannot do that
    ├── TurnStateConflict  the turn is no longer in a state that may change so
    └── DuplicateEvent     this chat event was already handled

`message` tells a user what happened, in their language once a chat renders it. The text of the exception is
English, for logs and the command line.
"""

from conversations.messages import Message


class ConversationError(Exception):
    """Base of every error of conversations."""

    message = Message("unexpected")

    def __init__(self, text: str, message: Message | None = None) -> None:
        super().__init__(text)
        if message is not None:
            self.message = message


class SessionError(ConversationError):
    """The talk cannot move that way."""


class NothingToUndo(SessionError):
    """The person already stands on the uploaded picture."""

    def __init__(self) -> None:
        super().__init__("nothing to undo: this is the uploaded picture", Message("nothing_to_undo"))


class NothingToRedo(SessionError):
    """No undone version is left to return to."""

    def __init__(self) -> None:
        super().__init__("nothing to redo: a new edit discards undone versions", Message("nothing_to_redo"))


class NoSuchVersion(SessionError):
    """No version of that number or id exists in this session."""

    def __init__(self, version: str) -> None:
        super().__init__(f"there is no version {version} here", Message("no_such_version", version=version))
        self.version = version


class VersionHasNoPicture(SessionError):
    """That version failed or was cancelled, so nothing can start from it."""

    def __init__(self, version: str, message: Message, nearest: str) -> None:
        super().__init__(f"{version} has no picture; the nearest version that has one is {nearest}", message)
        self.version = version
        self.nearest = nearest


class SettingsRefused(ConversationError):
    """A knob lies outside its range; the message names the knob and the range."""


class PictureRefused(ConversationError):
    """These bytes are not a picture we accept; the message says why and what would be."""


class PictureMissing(ConversationError):
    """The image store holds no picture of that key."""

    def __init__(self, key: str) -> None:
        super().__init__(f"the picture {key[:12]} is no longer stored", Message("picture_missing"))
        self.key = key


class StoreError(ConversationError):
    """The store cannot do that."""


class TurnStateConflict(StoreError):
    """The turn is no longer in a state that may change to the wanted one."""

    def __init__(self, turn_id: str, was: str, wanted: str) -> None:
        super().__init__(f"turn {turn_id} is {was}, so it cannot become {wanted}", Message("state_conflict"))
        self.turn_id = turn_id
        self.was = was
        self.wanted = wanted


class DuplicateEvent(StoreError):
    """This chat event was already handled; nothing was written."""

    def __init__(self, event_id: str) -> None:
        super().__init__(f"the event {event_id} was already handled")
        self.event_id = event_id
