"""The family of errors is the one drawn at the top of its module, and each error carries a message."""

import inspect

import pytest

from conversations import errors
from conversations.messages import Message

EXAMPLES = (
    errors.NothingToUndo(),
    errors.NothingToRedo(),
    errors.NoSuchVersion("v9"),
    errors.VersionHasNoPicture("v3", Message("no_picture_failed"), "v2"),
    errors.PictureMissing("ab" * 32),
    errors.TurnStateConflict("k3f9", "done", "running"),
    errors.DuplicateEvent("discord:1"),
)


def test_every_error_is_drawn_in_the_tree() -> None:
    members = inspect.getmembers(errors, inspect.isclass)
    classes = [(name, kind) for name, kind in members if kind.__module__ == errors.__name__]
    drawing = errors.__doc__ or ""
    assert all(name in drawing for name, _ in classes)
    assert all(issubclass(kind, errors.ConversationError) for _, kind in classes)


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_an_error_has_one_line_for_logs_and_a_message_for_users(error: errors.ConversationError) -> None:
    assert str(error)
    assert "\n" not in str(error)
    assert error.message.code in str(error.message)
