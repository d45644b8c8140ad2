from dataclasses import replace
from random import Random

from mgie_engine.lab.scenes.addressed_tones import local_edit
from mgie_engine.lab.scenes.fact_checker import parse_facts
from mgie_engine.lab.scenes.followups import follow_up
from mgie_engine.lab.scenes.rng import RngStreams
from mgie_engine.lab.scenes.scene import BACK, FRONT, Cell, Scene, SceneObject, new_object
from mgie_engine.lab.scenes.scene_edits import State, add_it, recolour_to, remove_it
from mgie_engine.lab.scenes.surroundings import surround
from mgie_engine.lab.scenes.tonal import tone_edit
from mgie_engine.restore.tones import ToneSpec
from tests.support.scene_descriptions import steps

LEFT = SceneObject("ball", "red", "large", Cell(FRONT, 0))
RIGHT = SceneObject("ball", "green", "small", Cell(FRONT, 3))
TREE = SceneObject("tree", "green", "medium", Cell(BACK, 1))
SCENE = Scene((LEFT, RIGHT, TREE))
STATE = State(SCENE)


def follow_ups(last, *, tries=200):
    found = (follow_up(RngStreams.of(Random(seed), "train"), last.goal, last) for seed in range(tries))
    return [edit for edit in found if edit]


def test_every_follow_up_has_a_conversation_to_lean_on():
    assert all(step.history for _, step in steps(kind="follow-up"))


def test_the_expressive_instruction_says_what_it_resolved_to():
    for _, step in steps(kind="follow-up"):
        assert " it " not in f" {step.edit.expressive} "
        assert parse_facts(step.edit.expressive)


def test_the_other_one_gets_the_colour_and_the_wrong_one_gets_its_own_back():
    last = recolour_to(STATE, LEFT, "blue", "make the ball blue")
    corrected = [e for e in follow_ups(last) if e.act == "recolour" and e.expressive.count("turns") == 2]
    assert corrected
    balls = {obj.cell: obj.colour for obj in corrected[0].goal.scene.of("ball")}
    assert balls == {LEFT.cell: "red", RIGHT.cell: "blue"}


def test_the_tree_too_means_the_same_deed():
    last = remove_it(STATE, LEFT, "remove the left ball")
    deeds = [edit for edit in follow_ups(last) if edit.act == "remove" and edit.expressive.startswith("The")]
    assert {edit.was for edit in deeds} == {TREE, RIGHT}


def test_put_back_brings_the_thing_back_and_the_other_one_goes():
    last = remove_it(STATE, LEFT, "remove the left ball")
    back = [edit for edit in follow_ups(last) if edit.expressive.startswith("A large red ball appears")]
    assert {edit.act for edit in back} == {"add", "remove"}
    gone = next(edit for edit in back if edit.act == "remove")
    assert [obj.colour for obj in gone.goal.scene.of("ball")] == ["red"]


def test_a_colour_goes_on_to_a_part():
    house = new_object("house", "blue", Cell(BACK, 3))
    last = recolour_to(State(replace(SCENE, objects=(*SCENE.objects, house))), house, "pink", "pink house")
    parts = {edit.part for edit in follow_ups(last) if edit.part and edit.colour == "pink"}
    assert parts == {"roof", "door"}


def test_another_one_is_like_the_one_before():
    new = SceneObject("kite", "red", "small", Cell(0, 0))
    last = add_it(STATE, (new,), "add a small red kite")
    assert last
    kites = [e.goal.scene.of("kite") for e in follow_ups(last) if len(e.goal.scene.of("kite")) == 2]
    assert kites
    assert kites[0][1] == replace(new, cell=Cell(0, 1))


def test_more_repeats_a_tone_and_too_much_takes_some_of_it_back():
    last = tone_edit(STATE, (("warm", "plain"),), "warmer")
    assert last
    tones = {edit.goal.tones[-1] for edit in follow_ups(last) if edit.kind != "nothing"}
    more = {ToneSpec("warm", 1.0), ToneSpec("warm", 0.5)}
    assert tones == more | {ToneSpec("cool", 0.5), ToneSpec("cool", 1.0)}


def test_a_region_is_followed_up_there_or_elsewhere():
    last = local_edit(STATE, [("darker", "top", "plain")], "darken the top half")
    assert last
    chains = [edit.goal.tones[1:] for edit in follow_ups(last, tries=600) if edit.kind != "nothing"]
    assert (ToneSpec("darker", 0.5, "top"),) in chains
    assert (ToneSpec("brighter", 1.0, "top"),) in chains
    assert (ToneSpec("darker", 1.0, "left"),) in chains
    assert (ToneSpec("brighter", 1.0, "top"), ToneSpec("darker", 1.0, "bottom")) in chains
    assert any(chain[0].name == "warm" and chain[0].region == "top" for chain in chains)


def test_another_sky_is_a_sky_and_another_hour_an_hour():
    for aspect, value in (("sky", "pink"), ("time", "night"), ("weather", "rain"), ("ground", "sand")):
        last = surround(STATE, f"{value} please", {aspect: value})
        scenes = [edit.goal.scene for edit in follow_ups(last) if edit.kind == "follow-up"]
        assert scenes
        assert all(scene == replace(SCENE, **{aspect: getattr(scene, aspect)}) for scene in scenes)
        assert value not in {getattr(scene, aspect) for scene in scenes}


def test_who_is_content_changes_nothing():
    last = remove_it(STATE, LEFT, "remove the left ball")
    content = [edit for edit in follow_ups(last) if edit.kind == "nothing"]
    assert content
    assert {edit.goal for edit in content} == {last.goal}


def test_a_refused_instruction_has_nothing_to_follow():
    last = recolour_to(STATE, LEFT, "red", "make the left ball red")
    assert follow_ups(last) == []
