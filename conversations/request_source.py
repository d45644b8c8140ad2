"""Where a request came from, and what its chat needs to answer it, also after a restart."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestSource:
    """Stored with each turn. Keys begin with the name of the chat, e.g. "discord:77".

    language          tag of the language to answer in
    server            key of the server, if any; its moderators decide about the request
    channel           key of the channel to answer in; None where the chat needs none
    parent_channel    of a thread: key of the channel it belongs to
    is_age_restricted whether the chat shows that channel to adults only
    opens_thread      whether the result opens a thread, to which the next versions go
    message           key of the message to reply to
    file_limit        bytes that one file of the answer may have
    token             interaction to answer through, where the bot may not post by itself; None once expired
    token_expires_at  Unix seconds
    """

    language: str = "en"
    server: str | None = None
    channel: str | None = None
    parent_channel: str | None = None
    is_age_restricted: bool = False
    opens_thread: bool = False
    message: str | None = None
    file_limit: int | None = None
    token: str | None = None
    token_expires_at: float | None = None

    @property
    def is_private(self) -> bool:
        """Whether only the user who asked sees the answer, as it goes through an interaction."""
        return self.token_expires_at is not None


NO_SOURCE = RequestSource()
SOURCE_FIELDS = tuple(RequestSource.__dataclass_fields__)
