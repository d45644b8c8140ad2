"""Every error this package raises on purpose.

ConversationError
├── SessionError           the session has no such move
│   ├── NothingToUndo      the head is at the uploaded image
│   ├── NothingToRedo      no undone version is left to return to
│   ├── NoSuchVersion      no version of that number or id here
│   │   └── MadeElsewhere  the copy of a version that was made in another channel
│   └── VersionHasNoPicture   that version failed or was cancelled, so no edit can start from it
├── SettingsRefused        a setting is out of range
├── PictureRefused         the file is not an image of an accepted format and size
├── PictureMissing         the image store has no image of that key
├── StorageFull            there is no room for another picture
├── UserErased             a user erased everything since that was asked
└── StoreError             the store cannot do this
    ├── TurnStateConflict  the state of the turn does not allow the change
    │   └── StaleAttempt   another attempt of the turn has begun since
    ├── DuplicateEvent     the chat event was already handled
    └── ShareUsedUp        in store/share_ledger.py: a limit has no room for the edit

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
    """The session has no such move."""


class NothingToUndo(SessionError):
    """The head of the user is at the uploaded image."""

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


class MadeElsewhere(NoSuchVersion):
    """A message shows a version that was made in another channel, where alone it can be edited."""

    def __init__(self, version: str, place: Message) -> None:
        super().__init__(version)
        self.message = Message("made_elsewhere", version=version, place=place)


class VersionHasNoPicture(SessionError):
    """That version failed or was cancelled, so no edit can start from it."""

    def __init__(self, version: str, message: Message, nearest: str) -> None:
        super().__init__(f"{version} has no picture; the nearest version that has one is {nearest}", message)
        self.version = version
        self.nearest = nearest


class SettingsRefused(ConversationError):
    """A setting is out of range; the message names the setting and the range."""


class PictureRefused(ConversationError):
    """The file is not an image of an accepted format and size; the message names the reason."""


class UserErased(ConversationError):
    """The user erased everything since the moment at which that was asked."""

    message = Message("consent_unreachable")

    def __init__(self, user: str) -> None:
        super().__init__("a user erased everything since that was asked")
        self.user = user


class PictureMissing(ConversationError):
    """The image store has no image of that key."""

    def __init__(self, key: str) -> None:
        super().__init__(f"the picture {key[:12]} is no longer stored", Message("picture_missing"))
        self.key = key


class StorageFull(ConversationError):
    """There is no room for another picture; the message says whose limit it is, and what helps."""


class StoreError(ConversationError):
    """The store cannot do this."""


class TurnStateConflict(StoreError):
    """The state of the turn does not allow the change."""

    def __init__(self, turn_id: str, was: str, wanted: str) -> None:
        super().__init__(f"turn {turn_id} is {was}, so it cannot become {wanted}", Message("state_conflict"))
        self.turn_id = turn_id
        self.was = was
        self.wanted = wanted


class StaleAttempt(TurnStateConflict):
    """The engine was asked for the turn again meanwhile, so what this attempt made does not count."""


class DuplicateEvent(StoreError):
    """The chat event was already handled; nothing was written."""

    def __init__(self, event_id: str) -> None:
        super().__init__(f"the event {event_id} was already handled")
        self.event_id = event_id
