"""Examples as lots: nothing left out, nothing twice, the same after a kill."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import islice

import pytest
import torch

from mgie_engine.edits import Exchange
from mgie_engine.errors import DataError
from mgie_engine.lab.data import shards
from mgie_engine.lab.data.examples import sessions
from mgie_engine.lab.evaluation.workers import in_order
from mgie_engine.lab.training.batch_loader import BatchLoader, ExampleEncoder, passes
from mgie_engine.text.prompting import IGNORED, Prompter
from tests.support.scene_examples import scene_examples
from tests.support.tiny_model import config, tokenizer
from tests.support.training_batches import prepare

MAKER = ExampleEncoder(
    Prompter(tokenizer(), config().vision.tokens, history_turns=2), config().vision, side=32
)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return prepare(tmp_path_factory.mktemp("data"))


def loader(data, **changes):
    return replace(BatchLoader(data, MAKER, (4, 4, 4), 1000, size=3, seed=0), **changes)


def test_drawn_examples_are_the_same_every_time_and_hold_talks():
    one, two = (list(scene_examples(24, 32)) for _ in range(2))
    assert one == two
    assert any(len(talk) > 1 for talk in sessions(one))


def test_readers_share_a_pass_and_shuffle_the_next_anew(data):
    groups = shards.row_groups(data)
    count = sum(group.rows for group in groups)
    alone = [example.id for example in islice(passes(groups, seed=0), 2 * count)]
    assert len(set(alone[:count])) == count
    assert set(alone[:count]) == set(alone[count:])
    assert alone[:count] != alone[count:]
    rows = [sum(group.rows for group in shards.deal(groups, seed=0, rank=i, world=2)) for i in range(2)]
    shared = [example.id for i in range(2) for example in islice(passes(groups, 0, i, 2), rows[i])]
    assert sorted(shared) == sorted(alone[:count])


def test_going_on_reads_what_would_have_come(data):
    groups = shards.row_groups(data)
    whole = [example.id for example in islice(passes(groups, seed=0), 60)]
    assert [example.id for example in islice(passes(groups, seed=0, skip=31), 29)] == whole[31:]


def test_more_readers_than_row_groups_are_refused(data):
    with pytest.raises(DataError, match="too few for 99 processes"):
        next(passes(shards.row_groups(data), 0, 0, 99))


def test_a_lot_comes_back_the_same_after_a_kill(data):
    whole = list(islice(loader(data).batches(), 4))
    (again,) = islice(loader(data).batches(skip=3), 1)
    assert torch.equal(again.texts.ids, whole[3].texts.ids)
    assert torch.equal(again.before, whole[3].before)
    assert torch.equal(again.noise_sample.noise, whole[3].noise_sample.noise)
    assert not torch.equal(again.noise_sample.noise, whole[2].noise_sample.noise)


def test_processes_draw_dice_of_their_own(data):
    one, other = loader(data).noise_sample(0), loader(data, rank=1).noise_sample(0)
    assert not torch.equal(one.drop, other.drop)


def test_what_is_made_beside_the_training_keeps_its_order():
    with ThreadPoolExecutor(3) as pool:
        assert list(in_order(pool, lambda n: n * n, range(20), 4)) == [n * n for n in range(20)]


def test_an_example_shows_the_turns_before_it(data):
    alone = next(shards.read_examples(data))
    with_history = replace(alone, history=(Exchange("make it red", "It is red."),))
    assert len(MAKER.text(with_history).ids) > len(MAKER.text(alone).ids)


def test_a_long_talk_loses_its_beginning_and_a_long_text_its_end(data):
    alone = next(shards.read_examples(data))
    with_history = replace(alone, history=(Exchange("make it red", "It is red."),))
    length = len(MAKER.text(alone).ids)
    assert replace(MAKER, max_length=length).text(with_history) == MAKER.text(alone)
    cut = replace(MAKER, max_length=length - 4).text(alone)
    assert cut.ids == MAKER.text(alone).ids[:-4]


def test_a_picture_is_never_cut_off(data):
    endless = replace(next(shards.read_examples(data)), instruction="make it red " * 500)
    text = MAKER.text(endless)
    assert tokenizer().picture_end in text.ids
    assert any(label != IGNORED for label in text.labels)
