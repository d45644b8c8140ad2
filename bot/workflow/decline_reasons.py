"""Why the model declined an instruction, from its words and from what the model read."""

from conversations.intents.intent import named_in
from conversations.messages import Message

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
