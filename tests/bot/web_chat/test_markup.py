"""How a moment of the talk is drawn."""

from dataclasses import replace

from bot.chat.events import ButtonAction
from bot.chat.replies import Card, CardState, buttons
from bot.web_chat import markup
from bot.web_chat.page_state import PageState
from conversations.messages import Message, verbatim
from conversations.settings import EditSettings, Grid

BEFORE, AFTER = "a" * 64, "b" * 64


UPLOAD = Card("aaaa", "v0", "web:x", CardState.DONE, after=BEFORE)
EDIT = Card(
    "bbbb",
    "v1",
    "web:x",
    CardState.DONE,
    origin=Message("from", parent="v0"),
    parent_version="v0",
    instruction="make it <night>",
    before=BEFORE,
    after=AFTER,
    buttons=buttons(
        ButtonAction.REFINE,
        ButtonAction.UNDO,
        ButtonAction.RETRY,
        ButtonAction.SUBTLER,
        ButtonAction.STRONGER,
    ),
)
RUNNING = replace(
    EDIT, turn_id="cccc", version="v2", state=CardState.RUNNING, after=None,
    status=Message("painting", step=3, steps=4), fraction=0.7, buttons=buttons(ButtonAction.CANCEL),
)  # fmt: skip
WAITING = replace(RUNNING, turn_id="dddd", version="v3", state=CardState.QUEUED)


def acts(card: Card, head: str) -> list[ButtonAction]:
    return [button.act for button in markup.offers(card, head)]


def test_without_a_picture_there_is_only_the_choice_of_one() -> None:
    assert "Choose a picture" in markup.chooser((), (), "en")
    assert "Your data" not in markup.chooser((), (), "en")
    assert markup.stage(PageState(), "en") == ""
    assert markup.film(PageState(), "en") == ""


def test_a_result_is_shown_beside_what_it_came_from() -> None:
    drawn = markup.stage(PageState((UPLOAD, EDIT), "bbbb"), "en")
    assert f'src="pictures/{BEFORE}.png" alt="Before"' in drawn
    assert f'src="pictures/{AFTER}.png" alt="After"' in drawn


def test_other_seeds_are_offered_of_what_has_any() -> None:
    drawn = [
        markup.talk(PageState((UPLOAD, replace(EDIT, is_exact=exact)), "bbbb"), "en")
        for exact in (False, True)
    ]
    assert ["Four seeds" in text for text in drawn] == [True, False]
    assert all("Strengths" in text for text in drawn)


def test_frames_have_the_shape_of_their_pictures() -> None:
    state = PageState((UPLOAD, EDIT), "bbbb", {BEFORE: (640, 480), AFTER: (640, 480)})
    assert 'data-ratio="1.3333"' in markup.stage(state, "en")


def test_the_stage_shows_what_is_worked_on_until_the_head_is_there() -> None:
    state = PageState((UPLOAD, EDIT, RUNNING, WAITING), "dddd")
    assert state.subject is RUNNING
    assert "step 3/4" in markup.stage(state, "en")


def test_the_stage_shows_an_older_version_while_another_is_worked_on() -> None:
    assert PageState((UPLOAD, EDIT, RUNNING), "bbbb").subject is EDIT


def test_words_are_escaped_everywhere() -> None:
    state = PageState((UPLOAD, EDIT), "bbbb")
    for drawn in (markup.stage(state, "en"), markup.film(state, "en"), markup.talk(state, "en")):
        assert "<night>" not in drawn
    assert "make it &lt;night&gt;" in markup.talk(state, "en")


def test_the_head_offers_to_vary_it_and_older_versions_offer_nothing() -> None:
    assert acts(EDIT, "bbbb") == [ButtonAction.RETRY, ButtonAction.SUBTLER, ButtonAction.STRONGER]
    assert acts(EDIT, "aaaa") == []


def test_unfinished_work_can_be_cancelled_and_failed_work_retried_wherever_one_stands() -> None:
    failed = replace(EDIT, state=CardState.FAILED, after=None, buttons=buttons(ButtonAction.RETRY))
    assert acts(RUNNING, "aaaa") == [ButtonAction.CANCEL]
    assert acts(failed, "aaaa") == [ButtonAction.RETRY]


def test_the_original_cannot_be_undone() -> None:
    assert 'title="Undo (Ctrl Z)" disabled' in markup.film(PageState((UPLOAD, EDIT), "aaaa"), "en")
    assert 'title="Undo (Ctrl Z)">' in markup.film(PageState((UPLOAD, EDIT), "bbbb"), "en")


def test_only_versions_with_a_picture_can_be_gone_to() -> None:
    drawn = markup.film(PageState((UPLOAD, RUNNING), "aaaa"), "en")
    assert drawn.count(" disabled") == 3  # undo, redo, and the running version


def test_sentences_keep_their_emphasis_and_nothing_else() -> None:
    assert "<strong>Text commands:</strong>" in markup.notice(Message("help"), "en")
    assert "&lt;b&gt;" in markup.notice(verbatim("<b>"), "en")
    assert markup.notice(None, "en") == ""


USED = EditSettings(7.5, 1.5, 4, 7, "euler_ancestral")


def test_a_result_can_be_seen_as_a_map_of_changes() -> None:
    drawn = markup.stage(PageState((UPLOAD, EDIT), "bbbb"), "en")
    assert f'src="changes/{BEFORE}/{AFTER}.webp"' in drawn
    assert 'data-view="map"' in drawn
    assert "changes/" not in markup.stage(PageState((UPLOAD,), "aaaa"), "en")


def test_a_grid_stands_in_the_conversation_and_not_in_the_strip() -> None:
    sheet = replace(EDIT, turn_id="eeee", version="v2", grid=Grid((6.0, 7.5), (1.5,)), cells=2, settings=USED)
    state = PageState((UPLOAD, EDIT, sheet), "bbbb")
    drawn = markup.talk(state, "en")
    assert f'<div class="sheet"><img src="pictures/{AFTER}.png"' in drawn
    assert [f'name="cell" value="eeee.{cell}"' in drawn for cell in range(3)] == [True, True, False]
    assert 'value="eeee"' not in markup.film(state, "en")
    assert 'name="grid" value="bbbb"' in markup.talk(state, "en")


def test_deep_versions_offer_the_original() -> None:
    deep = replace(EDIT, buttons=(*EDIT.buttons, *buttons(ButtonAction.FROM_ORIGINAL)))
    assert ButtonAction.FROM_ORIGINAL in acts(deep, "bbbb")
    assert "From the original" in markup.talk(PageState((UPLOAD, deep), "bbbb"), "en")


def test_redo_can_be_pressed_only_where_it_leads_somewhere() -> None:
    for can_redo in (True, False):
        drawn = markup.film(PageState((UPLOAD, EDIT), "bbbb", can_redo=can_redo), "en")
        button = drawn[drawn.index('name="redo"') :].partition(">")[0]
        assert ("disabled" not in button) is can_redo
