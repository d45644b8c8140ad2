from random import Random

from mgie_engine.lab.scenes.rng import RecordingRandom, ReplayingRandom, RngStreams


def thrown(rng):
    """Something of everything that stories draw."""
    return [
        rng.random(), rng.choice(range(77)), rng.choices("abc", [1, 2, 3]), rng.sample(range(30), 4),
        rng.randint(2, 4), rng.gauss(0, 1), rng.uniform(1, 2), rng.getrandbits(30),
    ]  # fmt: skip


def test_a_tape_changes_nothing_and_gives_the_same_again():
    taped = RecordingRandom(Random(5))
    assert thrown(taped) == thrown(Random(5))
    assert thrown(ReplayingRandom(taped.tape)) == thrown(Random(5))


def test_what_is_said_for_the_first_time_takes_no_further_throw():
    streams = RngStreams.of(Random(0), "train")
    assert streams.reworded("this one", ["this one", "the other"]) == "this one"
    assert streams.wording.random() == Random(0).random()


def test_what_is_said_again_may_be_said_otherwise():
    streams = RngStreams(Random(0), Random(1), "train", is_rewording=True)
    assert {streams.reworded("a", "abc") for _ in range(50)} == {"a", "b", "c"}
