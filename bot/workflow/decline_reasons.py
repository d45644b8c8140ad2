"""Why an edit is not made: what the model declined, and versions without a picture."""

from conversations.intents.intent import named_in
from conversations.messages import Message
from conversations.session import EditSession
from conversations.turn import Turn
from mgie_engine.errors import RequestRefused

_AS_ASKED = "as you asked."  # how a reading ends that leaves the picture alone on purpose


def reason_declined(instruction: str, expressive: str) -> Message:
    """Why nothing was changed, as an answer to the user."""
    if expressive.endswith(_AS_ASKED):
        return Message("declined_as_asked")
    named = named_in(instruction)
    if named.is_shape:
        return Message("declined_shape")
    if instruction.rstrip().endswith("?") and not named.things:
        return Message("declined_question")
    if named.things:
        return Message("declined_thing", things=", ".join(named.things))
    return Message("declined")


def without_picture(session: EditSession, parent: Turn) -> RequestRefused:
    """The refusal of an edit whose parent will never have a picture; names the nearest version that has."""
    message = Message("parent_failed", parent=parent.label, nearest=session.nearest_alive(parent).label)
    return RequestRefused("the version it starts from has no picture", message)
