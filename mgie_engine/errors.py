"""Every error the engine raises on purpose.

EngineError
├── ModelError        a model cannot be loaded: names the file and the tensor
│   └── NoRoom        it does not fit into the memory that is free now; it may fit later
├── DataError         a data set's file is missing, damaged, or not safe to read
├── RequestRefused    this request cannot be served as asked
├── EditDeclined      the model says that it cannot make this edit
├── NotFinite         what the networks computed is no picture: infinities or NaN
├── QueueFull         the queue, or this user's share of it, is full
├── EditCancelled     the edit was cancelled before it finished
├── EngineDied        the engine process ended while the edit ran; worth one retry
└── ServiceClosed     the service is closing; the edit did not fail and may be submitted again later

`message` tells a user of a chat what happened. The text of the exception is one English sentence, for logs
and the command line.
"""

from conversations.messages import Message


def printable(text: str) -> str:
    """The text as one line without control characters: names in files and on hubs may hold any."""
    line = " ".join(text.split())
    return line if line.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in line)


class EngineError(Exception):
    """Base of every error of mgie_engine."""

    message = Message("failed")

    def __init__(self, text: str, message: Message | None = None) -> None:
        super().__init__(printable(text))
        if message is not None:
            self.message = message


class ModelError(EngineError):
    """A model folder, file or tensor is missing, misshapen or unsafe to read."""

    message = Message("no_model")


class NoRoom(ModelError):
    """The model does not fit into the memory that is free now; it may fit later."""


class DataError(EngineError):
    """A data set's file is missing, damaged, not safe to read, or does not match the other files."""


class RequestRefused(EngineError):
    """The request cannot be served as it is; the message says what to change."""


class EditDeclined(EngineError):
    """The model says that it cannot make this edit; `expressive` is its expressive instruction."""

    def __init__(self, model: str, expressive: str) -> None:
        super().__init__(f"{model} declined: {expressive}")
        self.expressive = expressive


class NotFinite(EngineError):
    """The networks computed infinities or NaN, also where it was tried once more in fp32."""

    message = Message("broke_up")


class QueueFull(EngineError):
    """The queue is full; `limit` is the number of edits it may hold, for one user if `own`."""

    def __init__(self, limit: int, *, own: bool = False) -> None:
        whose = "of yours are" if own else "are"
        super().__init__(f"{limit} edits {whose} already waiting; try again in a minute.")
        self.limit = limit
        self.own = own


class EditCancelled(EngineError):
    """The edit was cancelled before it finished."""


class EngineDied(EngineError):
    """The engine process ended while this edit was running."""


class ServiceClosed(EngineError):
    """The service closed before the edit finished; the edit did not fail."""

    def __init__(self) -> None:
        super().__init__("The service is closing; the edit can be submitted again at the next start.")
