"""The tree of versions: heads, moves, branches."""

from dataclasses import replace

import pytest

from conversations.errors import NoSuchVersion, NothingToRedo, NothingToUndo, VersionHasNoPicture
from conversations.session import EditSession
from conversations.turn import NEXT_STATES, Turn, TurnState
from tests.support.session_story import Story

ANN, BOB = "ann", "bob"


@pytest.fixture
def story() -> Story:
    return Story(owner=ANN)


def head(session: EditSession, person: str) -> str:
    return session.head_of(person).label


def test_a_session_begins_on_the_uploaded_picture(story: Story) -> None:
    assert head(story.session, ANN) == "v0"
    assert story.session.root.is_upload


def test_an_edit_builds_on_the_users_head(story: Story) -> None:
    story.edit(ANN, "make the ball red")
    assert story.edit(ANN, "now blue").parent_id == story.version(1).id


def test_the_head_moves_when_asked_so_that_a_second_edit_waits_for_the_first(story: Story) -> None:
    first = story.ask(ANN, "make the ball red")
    second = story.ask(ANN, "now blue")
    assert second.parent_id == first.id
    assert not story.session.is_ready(second)
    assert story.session.children_of(first) == (second,)


def test_a_dependent_turn_is_ready_once_its_parent_has_a_picture(story: Story) -> None:
    first = story.ask(ANN, "make the ball red")
    second = story.ask(ANN, "now blue")
    story.give(first, TurnState.DELIVERING)
    assert story.session.is_ready(second)


def test_a_dependent_turn_is_never_ready_when_its_parent_failed(story: Story) -> None:
    first = story.ask(ANN, "make the ball red")
    second = story.ask(ANN, "now blue")
    story.lose(first)
    assert not story.session.is_ready(second)
    assert story.session.nearest_alive(first).label == "v0"


def test_a_head_does_not_rest_on_a_failed_turn(story: Story) -> None:
    story.edit(ANN, "make the ball red")
    story.lose(story.ask(ANN, "add a dragon"))
    assert head(story.session, ANN) == "v1"


def test_undo_and_redo_walk_up_and_down_the_same_way(story: Story) -> None:
    for words in ("one", "two", "three"):
        story.edit(ANN, words)
    up = story.session.undo(ANN).undo(ANN)
    assert head(up, ANN) == "v1"
    assert [head(up.redo(ANN), ANN), head(up.redo(ANN).redo(ANN), ANN)] == ["v2", "v3"]


def test_there_is_nothing_to_undo_on_the_upload(story: Story) -> None:
    with pytest.raises(NothingToUndo):
        story.session.undo(ANN)


def test_there_is_nothing_to_redo_before_an_undo(story: Story) -> None:
    story.edit(ANN, "one")
    with pytest.raises(NothingToRedo):
        story.session.redo(ANN)


def test_a_new_turn_closes_the_way_to_undone_versions(story: Story) -> None:
    story.edit(ANN, "one")
    story.session = story.session.undo(ANN)
    story.edit(ANN, "another")
    with pytest.raises(NothingToRedo):
        story.session.redo(ANN)


def test_undo_of_a_variation_leads_to_the_version_that_it_varies(story: Story) -> None:
    first = story.edit(ANN, "warmer")
    more = story.vary(ANN, story.vary(ANN, first))
    assert (more.label, story.session.parent_of(more)) == ("v3", story.session.root)
    once = story.session.undo(ANN)
    assert [head(once, ANN), head(once.undo(ANN), ANN)] == ["v2", "v1"]
    back = once.undo(ANN).undo(ANN)
    assert head(back, ANN) == "v0"
    assert [head(back.redo(ANN), ANN), head(back.redo(ANN).redo(ANN).redo(ANN), ANN)] == ["v1", "v3"]


def test_reset_after_a_variation_is_undone_step_by_step(story: Story) -> None:
    story.vary(ANN, story.edit(ANN, "warmer"))
    reset = story.session.reset(ANN)
    assert [head(reset, ANN), head(reset.redo(ANN), ANN), head(reset.redo(ANN).redo(ANN), ANN)] == [
        "v0",
        "v1",
        "v2",
    ]


def test_going_back_to_the_version_varied_keeps_redo(story: Story) -> None:
    story.vary(ANN, story.edit(ANN, "warmer"))
    moved = story.session.go_to(ANN, story.version(1))
    assert head(moved.redo(ANN), ANN) == "v2"


def test_a_lost_variation_leaves_the_version_that_it_varies(story: Story) -> None:
    story.edit(ANN, "warmer")
    story.lose(story.vary(ANN, story.version(1)))
    assert head(story.session, ANN) == "v1"


def test_undo_of_a_variation_leads_to_its_parent_once_the_version_varied_is_erased(story: Story) -> None:
    story.edit(ANN, "make it red")
    story.vary(ANN, story.edit(ANN, "warmer"))
    left = {key: turn for key, turn in story.session.turns.items() if turn.label != "v2"}
    assert head(replace(story.session, turns=left).undo(ANN), ANN) == "v1"


def test_undoing_a_running_turn_leaves_it_running(story: Story) -> None:
    running = story.ask(ANN, "one")
    undone = story.session.undo(ANN)
    assert head(undone, ANN) == "v0"
    assert undone.turn(running.id).state is TurnState.WAITING


def test_undo_steps_over_a_parent_that_failed(story: Story) -> None:
    story.edit(ANN, "one")
    lost = story.ask(ANN, "two")
    story.ask(ANN, "three")
    story.lose(lost)
    assert head(story.session.undo(ANN), ANN) == "v1"


def test_redo_steps_over_what_was_cancelled_meanwhile(story: Story) -> None:
    story.edit(ANN, "one")
    running = story.ask(ANN, "two")
    story.session = story.session.undo(ANN).undo(ANN)
    story.lose(running)
    again = story.session.redo(ANN)
    assert head(again, ANN) == "v1"
    with pytest.raises(NothingToRedo):
        again.redo(ANN)


def test_reset_goes_to_the_upload_and_redo_leads_back_down(story: Story) -> None:
    story.edit(ANN, "one")
    story.edit(ANN, "two")
    reset = story.session.reset(ANN)
    assert head(reset, ANN) == "v0"
    assert head(reset.redo(ANN).redo(ANN), ANN) == "v2"


def test_going_to_another_branch_clears_the_way_forward(story: Story) -> None:
    story.edit(ANN, "one")
    story.edit(ANN, "other", parent=0)
    moved = story.session.go_to(ANN, story.version(1))
    assert head(moved, ANN) == "v1"
    with pytest.raises(NothingToRedo):
        moved.redo(ANN)


def test_going_up_keeps_the_way_down(story: Story) -> None:
    for words in ("one", "two", "three"):
        story.edit(ANN, words)
    moved = story.session.go_to(ANN, story.version(1))
    assert head(moved.redo(ANN), ANN) == "v2"


def test_nobody_goes_to_a_version_without_a_picture(story: Story) -> None:
    story.edit(ANN, "one")
    lost = story.lose(story.ask(ANN, "two"))
    with pytest.raises(
        VersionHasNoPicture, match="v2 has no picture; the nearest version that has one is v1"
    ):
        story.session.go_to(ANN, lost)


def test_replying_to_a_version_branches_from_it(story: Story) -> None:
    story.edit(ANN, "one")
    story.edit(ANN, "two")
    branch = story.edit(BOB, "other", parent=1)
    assert branch.parent_id == story.version(1).id
    assert [child.label for child in story.session.children_of(story.version(1))] == ["v2", "v3"]


def test_a_reply_to_a_failed_version_is_refused(story: Story) -> None:
    lost = story.lose(story.ask(ANN, "one"))
    with pytest.raises(VersionHasNoPicture):
        story.session.ask(ANN, "two", parent=lost.id)


def test_a_reply_to_a_version_of_another_session_is_refused(story: Story) -> None:
    with pytest.raises(NoSuchVersion):
        story.session.ask(ANN, "two", parent="zzzz")


def test_two_users_move_without_disturbing_each_other(story: Story) -> None:
    story.edit(ANN, "one")
    story.edit(BOB, "two")
    story.edit(ANN, "three", parent=1)
    moved = story.session.undo(BOB)
    assert (head(moved, ANN), head(moved, BOB)) == ("v3", "v1")


def test_a_newcomer_starts_where_the_owner_stands(story: Story) -> None:
    story.edit(ANN, "one")
    story.edit(ANN, "two")
    assert not story.session.has_head(BOB)
    assert head(story.session, BOB) == "v2"


def test_a_newcomer_without_an_owners_head_starts_at_the_last_picture(story: Story) -> None:
    story.edit(ANN, "one")
    story.ask(ANN, "two")
    orphaned = EditSession(
        story.session.id, story.session.channel, story.session.owner, turns=story.session.turns
    )
    assert head(orphaned, BOB) == "v1"


def test_the_path_to_a_version_runs_from_the_upload(story: Story) -> None:
    story.edit(ANN, "one")
    story.edit(ANN, "two")
    story.edit(ANN, "other", parent=1)
    assert [turn.label for turn in story.session.path_to(story.version(3))] == ["v0", "v1", "v3"]


def test_the_conversation_before_a_turn_is_that_of_its_own_branch(story: Story) -> None:
    story.edit(ANN, "one")
    story.edit(ANN, "two")
    other = story.ask(ANN, "other", parent=1)
    assert story.session.exchanges_before(other) == (("one", "one, understood"),)


def test_an_unknown_version_number_is_named(story: Story) -> None:
    with pytest.raises(NoSuchVersion, match="no version v7"):
        story.session.version(7)


def test_a_turn_that_is_not_of_the_session_cannot_be_updated(story: Story) -> None:
    with pytest.raises(NoSuchVersion):
        story.session.update(Turn("zzzz", "s", 9, None, ANN))


def test_final_states_are_those_that_nothing_follows() -> None:
    final = {state for state in TurnState if state.is_final}
    assert final == {TurnState.DONE, TurnState.FAILED, TurnState.CANCELLED}
    assert all(following in TurnState for followers in NEXT_STATES.values() for following in followers)
