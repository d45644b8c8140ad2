"""Which of several results a text names."""

import pytest

from conversations.intents.picked_place import picked_place


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("the first", 1),
        ("2 please", 2),
        ("I'll take the second", 2),
        ("let's go with the third", 3),
        ("haha the 4th is best", 4),
        ("option 2", 2),
        ("die dritte gefällt mir am besten", 3),
        ("ich nehme die zweite", 2),
        ("am besten gefällt mir die vierte", 4),
        ("toma la 2", 2),
        ("me gusta más la tercera", 3),
        ("version 2", None),
        ("make the second one blue", None),
        ("the second ball", None),
        ("two more", None),
        ("undo two", None),
        ("3 versions", None),
        ("the two trees", None),
        ("", None),
    ],
)
def test_a_place_is_named_by_a_text_that_says_no_more(text: str, place: int | None) -> None:
    assert picked_place(text) == place
