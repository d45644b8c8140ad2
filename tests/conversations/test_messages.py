"""Messages are plain values: they compare, travel and are stored."""

import json
import pickle

import pytest

from conversations.messages import Message, joined, verbatim

NESTED = Message(
    "kept", pictures=Message("pictures", count=2), share=0.5, of=("v1", Message("edits", count=1)), who="ann"
)


@pytest.mark.parametrize("message", [Message("queued"), NESTED, joined(" · ", Message("a"), verbatim("b"))])
def test_a_message_survives_json_and_pickling(message: Message) -> None:
    assert Message.from_json(json.loads(json.dumps(message.to_json()))) == message
    assert pickle.loads(pickle.dumps(message)) == message


def test_a_sentence_stored_by_an_earlier_release_stays_readable() -> None:
    assert Message.from_json("Failed. Not counted.") == verbatim("Failed. Not counted.")


def test_messages_with_other_parameters_are_others() -> None:
    assert Message("queued", version="v1") != Message("queued", version="v2")
    assert len({Message("queued"), Message("queued")}) == 1


def test_a_log_shows_the_code_and_the_parameters() -> None:
    assert str(Message("wait", after=Message("seconds", count=5))) == "wait(after=seconds(count=5))"
