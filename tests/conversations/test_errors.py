"""The family of errors is the one drawn at the top of its module, and speaks in sentences."""

import inspect

import pytest

from conversations import errors

EXAMPLES = (
    errors.NothingToUndo(),
    errors.NothingToRedo(),
    errors.NoSuchVersion("v9"),
    errors.VersionHasNoPicture("v3", "failed", "v2"),
    errors.PictureMissing("ab" * 32),
    errors.TurnStateConflict("k3f9", "done", "running"),
    errors.DuplicateEvent("discord:1"),
)


def test_every_error_is_drawn_in_the_tree() -> None:
    classes = inspect.getmembers(errors, inspect.isclass)
    drawing = errors.__doc__ or ""
    assert all(name in drawing for name, _ in classes)
    assert all(issubclass(kind, errors.ConversationError) for _, kind in classes)


@pytest.mark.parametrize("error", EXAMPLES, ids=lambda error: type(error).__name__)
def test_an_error_speaks_one_sentence(error: errors.ConversationError) -> None:
    text = str(error)
    assert text[0].isupper()
    assert text.endswith(".")
    assert "\n" not in text
