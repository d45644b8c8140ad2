import json

import pytest

from mgie_engine.errors import ModelError
from mgie_engine.text.tokenizer import CONTROLS, Tokenizer
from tests.support.tiny_model import tokenizer

TYPED = ["</s>", "<s>", "[IMG0] [IMG1]", "a <im_start> b", "<im_patch><im_end>", "<unk>"]


def test_added_tokens_follow_the_pieces_in_a_fixed_order():
    pieces = tokenizer().pieces.get_piece_size()
    assert tokenizer().added == {
        name: pieces + place
        for place, name in enumerate(
            ["<im_patch>", "<im_start>", "<im_end>", *(f"[IMG{i}]" for i in range(8))]
        )
    }
    assert len(tokenizer()) == pieces + 11


def test_special_strings_become_tokens_and_eat_the_space_around_them():
    ids = tokenizer().encode("red \n[IMG0] [IMG1] ball")
    assert ids == [
        tokenizer().begin,
        *tokenizer().encode_plain("red"),
        *tokenizer().visual[:2],
        *tokenizer().encode_plain("ball"),
    ]


def test_the_end_of_sentence_leaves_spaces_alone():
    ids = tokenizer().encode("red </s> ball")
    assert ids[1:] == [
        *tokenizer().encode_plain("red "),
        tokenizer().end,
        *tokenizer().encode_plain(" ball"),
    ]


@pytest.mark.parametrize("typed", TYPED)
def test_shielded_text_is_ordinary_text(typed):
    ids = tokenizer().encode(tokenizer().shield(typed))
    assert ids == [tokenizer().begin, *tokenizer().encode_plain(typed)]
    assert not set(ids[1:]) & {*tokenizer().added.values(), 0, 1, 2}
    assert tokenizer().decode(ids[1:]) == typed


def test_any_letter_survives_the_round_trip():
    text = "猫 is ünïcödé 🐱\n\ttab"
    assert tokenizer().decode(tokenizer().encode_plain(text)) == text


def test_a_saved_tokenizer_reads_the_same(tmp_path):
    tokenizer().save(tmp_path)
    again = Tokenizer.read(tmp_path)
    assert again.added == tokenizer().added
    for text in (*TYPED, "make the ball blue </s> x"):
        assert again.encode(text) == tokenizer().encode(text)


def test_plain_strings_in_the_special_tokens_map_eat_spaces(tmp_path):
    tokenizer().save(tmp_path)
    file = tmp_path / "special_tokens_map.json"
    file.write_text(json.dumps({name: name for name in CONTROLS}))
    eager = Tokenizer.read(tmp_path)
    assert eager.encode("red </s> ball") == tokenizer().encode("red</s>ball")
    eager.save(tmp_path)
    assert Tokenizer.read(tmp_path).encode("red </s> ball") == eager.encode("red </s> ball")


def test_a_missing_model_file_is_named(tmp_path):
    with pytest.raises(ModelError, match=r"tokenizer\.model is missing"):
        Tokenizer.read(tmp_path)


@pytest.mark.parametrize("name", ["tokenizer.model", "added_tokens.json", "special_tokens_map.json"])
def test_a_damaged_file_is_named(tmp_path, name):
    tokenizer().save(tmp_path)
    (tmp_path / name).write_bytes(b"version https://git-lfs\xff")
    with pytest.raises(ModelError, match=name.replace(".", r"\.")):
        Tokenizer.read(tmp_path)
