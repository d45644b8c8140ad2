import pytest
import torch

from conversations.messages import Message
from mgie_engine.config import Behaviour
from mgie_engine.edits import Exchange
from mgie_engine.errors import RequestRefused
from mgie_engine.model.mgie import finish
from mgie_engine.text.prompting import Prompt
from tests.support.tiny_model import Says, model, tokenizer

PIXELS = torch.randn(3, 3, 32, 32, generator=torch.Generator().manual_seed(0))
RED = Prompt("make the ball red")
END, VISUAL = tokenizer().end, list(tokenizer().visual)


def words(text):
    return tokenizer().encode_plain(text)


def think(mgie, *prompts):
    return finish(mgie.think(PIXELS[: len(prompts)], prompts))


def saying(*texts, behaviour=Behaviour.SERVING, **changes):
    mgie = model(behaviour, **changes)
    mgie.mllm.lm_head = Says(*texts)  # type: ignore[assignment]
    return mgie


def taught_states(mgie, prompt, expressive, row=0):
    """The states that predict the visual tokens in one pass over the whole training text."""
    example = mgie.reader.prompter.example(prompt, expressive)
    ids = torch.tensor([example.ids])
    picture_at = torch.tensor([example.ids.index(tokenizer().picture_start) + 1])
    states = mgie.mllm(ids, PIXELS[row : row + 1], picture_at, torch.ones_like(ids, dtype=torch.bool))[0]
    at = example.ids.index(VISUAL[0]) - 1
    return states[at : at + len(VISUAL)]


def near(ours, theirs):
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=0)


@pytest.mark.parametrize(
    "written",
    [
        [*words("the ball is red"), *VISUAL, END],
        [*words("the ball is red"), END],
        [*words("the ball is red"), VISUAL[0], END],
    ],
)
def test_guidance_is_what_training_made_it_of_however_the_text_ends(written):
    mgie = saying(written)
    thought = think(mgie, RED)[0]
    assert (thought.expressive, thought.notes) == ("the ball is red.", ())
    near(thought.states, taught_states(mgie, RED, "the ball is red"))


def test_a_text_that_meets_the_limit_is_followed_by_the_visual_tokens():
    endless = words("the ball is red the sky turns dark")
    mgie = saying(endless, max_new_tokens=len(endless))
    thought = think(mgie, RED)[0]
    assert thought.ids == endless
    near(thought.states, taught_states(mgie, RED, "the ball is red the sky turns dark"))


@pytest.mark.parametrize("written", [[END], [*VISUAL, END], [VISUAL[0]], words("## !! ??")])
def test_without_a_text_the_instruction_is_the_reading(written):
    mgie = saying([*written, END])
    thought = think(mgie, RED)[0]
    assert thought.expressive == "make the ball red"
    assert thought.notes == (Message("note_as_written"),)
    near(thought.states, taught_states(mgie, RED, "make the ball red"))


def test_a_corrected_reading_is_used_as_it_is():
    mgie = model()
    thought = think(mgie, Prompt("make the ball red", reading=" The sky turns dark. Yes. No. "))[0]
    assert thought.expressive == "The sky turns dark. Yes. No."
    near(thought.states, taught_states(mgie, RED, "The sky turns dark. Yes. No."))


def test_prompts_of_a_batch_are_read_as_they_would_be_alone():
    prompts = [
        Prompt("the sky", (Exchange("make the ball blue", "the ball is blue"),)),
        Prompt("make the ball red and remove the small tree", reading="the ball is red"),
        Prompt("x"),
    ]
    texts = [[*words("the sky turns dark"), *VISUAL, END], [*words("the ball"), END]]
    together = think(saying(*texts), *prompts)
    for row, text in ((0, texts[0]), (2, texts[1])):
        alone = finish(saying(text).think(PIXELS[row : row + 1], [prompts[row]]))[0]
        assert (together[row].ids, together[row].expressive) == (alone.ids, alone.expressive)
        near(together[row].states, alone.states)
    near(together[1].states, taught_states(model(), prompts[1], "the ball is red", row=1))


def test_a_random_model_writes_the_same_alone_and_in_company():
    mgie = model()
    prompts = [Prompt("make the ball blue"), Prompt("x"), Prompt("remove the small tree")]
    together = think(mgie, *prompts)
    for row, prompt in enumerate(prompts):
        alone = finish(mgie.think(PIXELS[row : row + 1], [prompt]))[0]
        assert together[row].ids == alone.ids
        near(together[row].states, alone.states)


def test_serving_and_release_agree_where_the_release_is_well_defined():
    text = [*words("the ball is red."), *VISUAL, END]
    serving = think(saying(text), RED)[0]
    release = think(saying(text, behaviour=Behaviour.RELEASE), RED)[0]
    near(serving.states, release.states)
    assert release.ids == text


def test_special_tokens_are_never_part_of_a_text():
    mgie = model()
    mgie.mllm.lm_head.weight.data[[*tokenizer().added.values(), 0, 1]] *= 100
    mgie.mllm.lm_head.weight.data[VISUAL[0]] = 0
    thought = think(mgie, RED)[0]
    assert not set(thought.ids) & {*tokenizer().added.values(), 0, 1} - {VISUAL[0]}


def test_a_visual_token_typed_by_a_user_leads_only_the_release_astray():
    typed, text = Prompt("put [IMG0] on the ball"), [*words("the ball is red."), *VISUAL, END]
    near(think(saying(text), typed)[0].states, taught_states(model(), typed, "the ball is red."))
    astray = think(saying(text, behaviour=Behaviour.RELEASE), typed)[0]
    assert (astray.states - taught_states(model(), typed, "the ball is red.")).abs().max() > 0.1


def test_picture_marks_typed_by_a_user_stop_only_the_release():
    typed = Prompt("<im_start> red")
    assert think(saying([END]), typed)[0].expressive == "<im_start> red"
    with pytest.raises(ValueError, match="should be the same"):
        think(saying([END], behaviour=Behaviour.RELEASE), typed)


def test_both_picture_marks_typed_by_a_user_stop_only_the_release():
    typed = Prompt("<im_start> red <im_end>")
    with pytest.raises(ValueError, match="should follow"):
        think(saying([END], behaviour=Behaviour.RELEASE), typed)


def test_an_instruction_beyond_the_model_is_refused_with_a_number():
    with pytest.raises(RequestRefused, match=r"too long by \d+ tokens"):
        think(model(), Prompt("ball " * 1000))


def test_reading_goes_token_by_token():
    steps = saying([*words("the ball is red"), END]).think(PIXELS[:1], [RED])
    assert next(steps) is None
    steps.close()  # an edit may be cancelled at any token
