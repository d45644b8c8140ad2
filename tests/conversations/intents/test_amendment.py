"""What a text adds to the last edit: "but keep the red", "only the sky"."""

import pytest

from conversations.intents.amendment import amendment
from conversations.intents.intent import sort_text


@pytest.mark.parametrize(
    ("text", "added"),
    [
        ("but keep the red", "except the red"),
        ("but keep red", "except red"),
        ("keep the sky", "except the sky"),
        ("please keep the sky the way it was", "except the sky"),
        ("but not the man on the left", "except the man on the left"),
        ("no, not the roof!", "except the roof"),
        ("except for the trees please", "except the trees"),
        ("everything except the red", "except the red"),
        ("all but the reds", "except the reds"),
        ("leave the sky alone", "except the sky"),
        ("leave the red car out of it", "except the red car"),
        ("leave out the sky", "except the sky"),
        ("don't touch my face", "except my face"),
        ("without changing the sky", "except the sky"),
        ("but the sky stays as it is", "except the sky"),
        ("the sky should stay", "except the sky"),
        ("not the greens either", "except the greens"),
        ("only the sky", "just the sky"),
        ("just the dark parts", "just the dark parts"),
        ("only the bottom", "just the bottom"),
        ("not the shadows", "except the shadows"),
        ("no, just the left half please", "just the left half"),
        ("but only the reds", "just the reds"),
        ("and the blues too", "and the blues"),
        ("also the sky", "and the sky"),
    ],
)
def test_what_is_added_is_named(text: str, added: str) -> None:
    assert amendment(text) == added
    assert sort_text(text, "en", ("en",)).amendment == added


@pytest.mark.parametrize(
    "text",
    [
        "no not like that",
        "not what I meant",
        "not so strong",
        "not dark enough",
        "not now",
        "keep it",
        "keep going",
        "leave it alone",
        "keep everything else",
        "keep the first one",
        "keep the original",
        "keep the dog but make the cat bigger",
        "keep the sky and make the grass darker",
        "not the red ball, the blue one",
        "without the hat",
        "black and white but keep the red",
        "undo, but keep the hat",
        "leave the rest alone",
        "keep the trees green",
        "just the roof red",
        "only a bit",
        "just the same",
        "now the roof too",
        "not my favourite",
        "keep this version",
        "keep this one",
        "keep the edit",
        "not the right colour",
        "not that dark",
        "just my opinion",
        "just this once",
        "not this one",
        "not the one i meant",
        "not my problem",
        "keep the good work up",
        "just the two of us",
        "only the sky a bit darker",
        "just the house in blue",
        "only the ball should be red",
        "just the background blurred",
        "just the trees more green",
        "just this part brighter",
        "keep the sky a bit darker",
        "keep the people in focus",
        "also the sky a bit darker",
        "besides the tree a house",
        "just this part",
    ],
)
def test_what_says_more_or_less_adds_nothing(text: str) -> None:
    assert sort_text(text, "en", ("en",)).amendment is None
