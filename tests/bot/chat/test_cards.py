"""Cards: one value for every state of a turn."""

from dataclasses import replace

import pytest

from bot.chat.cards import card_of, state_of
from bot.chat.events import ButtonAction
from bot.chat.replies import CardState, duration, how_it_goes
from conversations.messages import verbatim
from conversations.session import EditSession
from conversations.settings import EditSettings
from conversations.turn import Turn, TurnState
from mgie_engine.edits import Progress, Stage
from mgie_engine.serving.job import Place
from tests.support.english import facts_of, in_english, notes_of, title_of

UPLOAD = Turn(
    "up00",
    "s",
    0,
    None,
    "ann",
    state=TurnState.DONE,
    image="aa",
    delivered="m-0",
    notes=(verbatim("Cropped."),),
)
EDIT = Turn("k3f9", "s", 1, "up00", "ann", "make it darker")
DONE = replace(
    EDIT,
    state=TurnState.DONE,
    image="bb",
    expressive="The scene is set at dusk.",
    settings=EditSettings(7.5, 1.5, 50, 1371, "euler_ancestral"),
    seconds={"reading": 1.2, "painting": 5.0},
    changed=0.384,
)


def session_of(*turns: Turn) -> EditSession:
    return EditSession("s", "c", "ann", turns={turn.id: turn for turn in turns})


def card(turn: Turn, **more):
    return card_of(turn, session_of(UPLOAD, turn), **more)


def test_an_upload_is_a_card_too():
    upload = card_of(UPLOAD, session_of(UPLOAD))
    assert (title_of(upload), upload.state, upload.before, upload.after) == ("v0", CardState.DONE, None, "aa")


def test_a_queued_card_names_its_place_and_the_wait():
    queued = card(EDIT, place=Place(3, 7, 21.0))
    assert (queued.state, queued.wait_s) == (CardState.QUEUED, 21.0)
    assert in_english(how_it_goes(queued)) == "Position 3 of 7 in the queue · about 20 s"
    assert [button.act for button in queued.buttons] == [ButtonAction.CANCEL]


def test_before_anything_was_measured_only_the_place_is_named():
    assert in_english(card(EDIT, place=Place(1, 1, None)).status) == "Position 1 of 1 in the queue"


@pytest.mark.parametrize(
    ("progress", "status", "fraction"),
    [
        (None, "reading the picture…", 0.0),
        (Progress(Stage.READING), "reading the picture…", 0.0),
        (Progress(Stage.PAINTING, 25, 50), "step 25/50", 0.525),
        (Progress(Stage.FINISHING, 50, 50), "finishing", 0.9),
    ],
)
def test_a_running_card_says_what_is_done(progress, status, fraction):
    running = card(replace(EDIT, state=TurnState.RUNNING), progress=progress)
    assert (in_english(running.status), running.fraction) == (status, pytest.approx(fraction))


def test_a_finished_card_tells_everything():
    done = card(DONE)
    assert (title_of(done), done.version, done.before, done.after) == ("v1 · from v0", "v1", "aa", "bb")
    assert facts_of(done) == "text 7.5 · image 1.5 · 50 steps · seed 1371 · 6.2 s · 38 % changed"
    assert (done.expressive, done.parent_key, done.fraction) == ("The scene is set at dusk.", "m-0", 1.0)
    assert ButtonAction.UNDO in [button.act for button in done.buttons]


def test_the_first_edit_tells_what_was_done_to_the_upload():
    assert notes_of(card(DONE)) == ("Cropped.",)
    assert notes_of(card(replace(DONE, number=2))) == ()


def test_the_fourth_edit_in_a_row_warns_of_softness():
    chain = [UPLOAD]
    for number in range(1, 5):
        chain.append(replace(DONE, id=f"t{number}", number=number, parent_id=chain[-1].id))
    assert notes_of(card_of(chain[3], session_of(*chain))) == ()
    [note] = notes_of(card_of(chain[4], session_of(*chain)))
    assert note.startswith("4 edits in a row")


def test_how_it_ended_shows_before_it_is_delivered():
    ended = replace(EDIT, state=TurnState.DELIVERING)
    assert state_of(replace(ended, image="bb")) is CardState.DONE
    assert state_of(replace(ended, error=verbatim("Failed."))) is CardState.FAILED
    assert state_of(ended) is CardState.CANCELLED


def test_a_failed_card_says_why_and_offers_to_try_again():
    failed = card(replace(EDIT, state=TurnState.FAILED, error=verbatim("The engine is tired.")))
    assert in_english(failed.status) == "The engine is tired."
    assert [button.act for button in failed.buttons] == [ButtonAction.RETRY]


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.3, "under 5 s"), (7, "5 s"), (42, "40 s"), (89, "90 s"), (200, "3 min")]
)
def test_seconds_are_said_as_people_say_them(seconds, words):
    assert in_english(duration(seconds)) == words
