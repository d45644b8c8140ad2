"""Which plain messages of an edit channel are instructions, and which are chatter."""

import pytest

from bot.workflow.intent_filter import Intent, PlainMessage, classify

RUN, ASK, IGNORE = Intent.RUN, Intent.ASK, Intent.IGNORE


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("make it darker", RUN),
        ("Please remove the car", RUN),
        ("could you make the sky blue?", RUN),
        ("a bit darker", RUN),
        ("now blue", RUN),
        ("without the hat", RUN),
        ("undo", RUN),
        ("back to v2", RUN),
        ("stop", RUN),
        ("replace the dog with a cat " + "very " * 40, ASK),
        ("the dog looks sad in this one", IGNORE),
        ("I like the second version", IGNORE),
        ("more cats", ASK),
        ("who took this photo?", IGNORE),
        ("what time is it in Tokyo?", IGNORE),
        ("help", IGNORE),
        ("that's wrong", ASK),
        ("no, not like that", ASK),
        ("// make it darker", IGNORE),
        ("lol", IGNORE),
        ("hahaha 😂😂", IGNORE),
        ("thank you!", IGNORE),
        ("😂", IGNORE),
        ("<:pog:123456789012345678>", IGNORE),
        ("https://example.org/cat.png", IGNORE),
        ("", IGNORE),
        ("...", IGNORE),
    ],
)
def test_what_is_heard(text, expected):
    assert classify(PlainMessage(text, head_age_s=5)) is expected


@pytest.mark.parametrize(
    ("text", "has_picture", "head_age_s", "expected"),
    [
        ("same for this one", True, 5, RUN),
        ("das hier auch", True, 5, RUN),
        ("wrong picture, use this instead", True, 5, RUN),
        ("same for this one", True, None, IGNORE),
        ("same for this one", False, 5, IGNORE),
        ("oops, wrong picture", False, 5, ASK),
        ("oops, wrong picture", False, None, IGNORE),
    ],
)
def test_the_last_instruction_is_for_another_picture_soon_after_it(text, has_picture, head_age_s, expected):
    assert classify(PlainMessage(text, has_picture, head_age_s=head_age_s)) is expected


@pytest.mark.parametrize(
    ("text", "language", "expected"),
    [
        ("mach es dunkler", "de", RUN),
        ("kannst du den Himmel blau malen?", "de", RUN),
        ("etwas heller", "de", RUN),
        ("krass haha", "de", IGNORE),
        ("haz el cielo azul", "es", RUN),
        ("otra vez", "es", RUN),
        ("jajaja", "es", IGNORE),
    ],
)
def test_other_languages_are_heard(text, language, expected):
    assert classify(PlainMessage(text, head_age_s=5, language=language)) is expected


@pytest.mark.parametrize(
    "more",
    [
        {"replies_to_person": True},
        {"mentions_others": True},
        {"head_age_s": None},
        {"head_age_s": 600.0},
    ],
)
def test_messages_between_users_are_left_alone(more):
    assert classify(PlainMessage("make it darker", **{"head_age_s": 5.0, **more})) is IGNORE


def test_a_picture_with_an_instruction_needs_no_earlier_turn():
    assert classify(PlainMessage("make it darker", has_picture=True)) is RUN


def test_words_about_a_picture_beside_it_are_asked_about():
    assert classify(PlainMessage("my cat on the roof", has_picture=True)) is ASK
    assert classify(PlainMessage("thanks!", has_picture=True)) is IGNORE


def test_a_picture_alone_is_not_taken():
    assert classify(PlainMessage("", has_picture=True)) is IGNORE
