"""The static decode against the plain one, without graphs; company changes nothing."""

import pytest
import torch

from mgie_engine.model.cuda_graphs import Graphs
from mgie_engine.model.mgie import finish
from mgie_engine.model.shared_reading import SharedReader
from mgie_engine.model.static_decode import Packed, StaticDecoder, packed
from mgie_engine.text.prompting import Prompt
from tests.support.tiny_model import model, tokenizer

PIXELS = torch.randn(3, 3, 32, 32, generator=torch.Generator().manual_seed(0))
PROMPTS = [Prompt("make the ball blue"), Prompt("x"), Prompt("remove the small tree")]
TOKENS = 24


@pytest.fixture(autouse=True)
def inference():
    with torch.inference_mode():
        yield


@pytest.fixture(scope="module")
def mgie():
    return model(max_new_tokens=TOKENS)


def a_decoder(mgie, rows=8, length=256):
    rules = mgie.reader._rules()
    return StaticDecoder(
        mgie.mllm, Graphs(torch.device("cpu")), rows, length, rules.never, rules.no_repeat_ngram
    )


def enter(decoder, mgie, row, number):
    """Read a prompt into a row; its ids."""
    ids = mgie.reader.prompter.ids(PROMPTS[number])
    picture_at = ids.index(tokenizer().picture_start) + 1
    decoder.prefill(torch.tensor(ids), PIXELS[number : number + 1], picture_at, row, len(ids))
    decoder.occupy(row, len(ids) - 1)
    return ids


def states(decoder, row, ids, written):
    text = [*ids, *written]
    return decoder.states(row, len(text) - 1, [text[-1], *tokenizer().visual[:-1]])


@pytest.mark.parametrize("number", range(3))
def test_the_static_decode_writes_what_the_plain_one_writes(mgie, number):
    (plain,) = finish(mgie.reader._write(PIXELS[number : number + 1], [PROMPTS[number]]))
    decoder = a_decoder(mgie)
    ids = enter(decoder, mgie, 0, number)
    written = [int(decoder.choose_next()[0]) for _ in range(TOKENS)]
    assert plain.ids == written[: len(plain.ids)]
    words = [token for token in plain.ids if token not in mgie.reader._rules().stops]
    torch.testing.assert_close(states(decoder, 0, ids, words), plain.states, atol=1e-5, rtol=0)


def test_no_run_of_three_is_written_twice(mgie):
    decoder = a_decoder(mgie)
    ids = enter(decoder, mgie, 0, 0)
    text = [*ids, *(int(decoder.choose_next()[0]) for _ in range(60))]
    runs = [tuple(text[at : at + 3]) for at in range(len(ids) - 2, len(text) - 2)]
    assert len(set(runs)) == len(runs)


def test_a_reading_has_the_same_bytes_in_any_company(mgie):
    """In one row: a CPU's products round differently from row to row, a GPU's kernels do not."""
    alone, company = a_decoder(mgie), a_decoder(mgie)
    ids = enter(alone, mgie, 5, 0)
    written = [int(alone.choose_next()[5]) for _ in range(TOKENS)]
    enter(company, mgie, 0, 1)
    company.choose_next()  # it joins when another has already begun …
    enter(company, mgie, 5, 0)
    enter(company, mgie, 2, 2)
    among = []
    for at in range(TOKENS):
        among.append(int(company.choose_next()[5]))
        if at == 3:
            company.vacate(2)  # … and one leaves before it ends
    assert among == written
    assert torch.equal(states(company, 5, ids, among), states(alone, 5, ids, written))


def test_a_prompt_that_does_not_fit_the_cache_is_left_to_the_plain_reader(mgie):
    reader = SharedReader(mgie.reader, a_decoder(mgie))
    assert reader.fits(Prompt("x"))
    assert not reader.fits(Prompt("make the ball blue " * 20))


def test_more_readers_than_rows_wait_for_one(mgie):
    reader = SharedReader(mgie.reader, a_decoder(mgie))
    readings = [reader.read(PIXELS[:1], PROMPTS[0]) for _ in range(9)]
    for reading in readings:
        next(reading)
    *first, last = readings
    assert None not in reader._rows
    first[0].close()
    next(last)
    for reading in readings:
        reading.close()
    assert reader._rows == [None] * 8


class CountingDecoder(StaticDecoder):
    """Counts its tokens."""

    launched = 0

    def choose_next(self):
        self.launched += 1
        return super().choose_next()


@pytest.mark.parametrize("number", range(3))
def test_few_tokens_are_launched_beyond_the_end_of_a_text_and_none_beyond_the_longest(mgie, number):
    rules = mgie.reader._rules()
    decoder = CountingDecoder(
        mgie.mllm, Graphs(torch.device("cpu")), 8, 256, rules.never, rules.no_repeat_ngram
    )
    ids = mgie.reader.prompter.ids(PROMPTS[number])
    thought = finish(SharedReader(mgie.reader, decoder)._think(PIXELS[:1], ids))
    assert len(thought.ids) <= decoder.launched <= min(TOKENS, len(thought.ids) + 2)


def test_who_joins_while_a_token_is_on_its_way_reads_what_it_reads_alone(mgie):
    alone = [finish(mgie.reader._write(PIXELS[at : at + 1], [PROMPTS[at]]))[0].ids for at in range(3)]
    shared, readings, found = SharedReader(mgie.reader, a_decoder(mgie)), {}, {}
    for turn in range(4 * TOKENS):
        if turn in (0, 4, 6):
            at = len(readings)
            readings[at] = shared._think(PIXELS[at : at + 1], mgie.reader.prompter.ids(PROMPTS[at]))
        for at in sorted(readings.keys() - found.keys()):
            try:
                next(readings[at])
            except StopIteration as end:
                found[at] = end.value.ids
    assert [found[at] for at in range(3)] == alone


def test_linears_become_views_of_one_matrix():
    linears = [torch.nn.Linear(4, 3, bias=False), torch.nn.Linear(4, 2, bias=False)]
    whole = packed(linears)
    assert isinstance(whole, Packed)
    assert linears[1].weight.data_ptr() == whole.weight[3:].data_ptr()
