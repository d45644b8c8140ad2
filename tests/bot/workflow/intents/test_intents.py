"""What messages ask for, on sets of them: no chatter is painted, and no instruction is lost."""

from pathlib import Path

import pytest

from bot.workflow.intents.intent import understand
from tests.support.labelled_messages import answer, measure, read_labelled

FOLDER = Path(__file__).parent


@pytest.mark.parametrize("name", ["channel.tsv", "mixed.tsv"])
@pytest.mark.parametrize("is_addressed", [True, False], ids=["addressed", "in a channel"])
def test_chatter_is_not_painted_and_instructions_are_taken(name: str, is_addressed: bool) -> None:
    figures = measure(read_labelled(FOLDER / name, is_addressed=is_addressed))
    assert figures["painted_share"] <= 0.02
    assert figures["missed"] == 0
    if is_addressed:
        assert figures["taken_share"] >= 0.97


def test_words_that_were_written_without_sight_of_the_rules() -> None:
    figures = measure(read_labelled(FOLDER / "fresh.tsv"))
    assert figures["painted_share"] <= 0.02
    assert figures["missed"] <= 2


def test_a_line_without_a_label_is_named(tmp_path: Path) -> None:
    (tmp_path / "said.tsv").write_text("make it red\tedit\nhello\tgreeting\n")
    with pytest.raises(ValueError, match=":2: 'greeting' is none of"):
        [*read_labelled(tmp_path / "said.tsv")]


def test_a_file_may_say_which_messages_were_not_addressed(tmp_path: Path) -> None:
    (tmp_path / "said.tsv").write_text("sunset\tedit\tchannel\n@bot sunset\tedit\n")
    assert [answer(said) for said in read_labelled(tmp_path / "said.tsv")] == ["unsure", "edit"]


@pytest.mark.parametrize("text", ["the " * 200 + "x", "a bit " * 200, "red and " * 300, "can you " * 100])
def test_no_text_takes_long(text: str) -> None:
    """RE2 is linear and the words are counted: this would run for minutes with backtracking."""
    understand(text, "en")
