"""What messages ask for, on sets of them: no chatter is painted, and no instruction is lost."""

from pathlib import Path

import pytest

from conversations.intents.intent import sort_text, understand
from conversations.intents.sorted_text import Asks, CommandWord, TextCommand
from tests.support.labelled_messages import answer, measure, read_labelled

FOLDER = Path(__file__).parent


@pytest.mark.parametrize(
    ("name", "painted", "taken"),
    [
        ("channel.tsv", 0.02, 0.97),
        ("mixed.tsv", 0.02, 0.96),
        ("fresh.tsv", 0.03, 0.96),
        ("channel_later.tsv", 0.02, 0.82),
    ],
)
def test_messages_that_the_classifier_did_not_learn_from(name: str, painted: float, taken: float) -> None:
    """To the bot. Later weights do no worse on the sets."""
    figures = measure(read_labelled(FOLDER / name))
    assert figures["painted_share"] <= painted
    assert figures["taken_share"] >= taken
    assert figures["missed"] <= 3


@pytest.mark.parametrize("name", ["channel.tsv", "mixed.tsv", "fresh.tsv"])
def test_fewer_messages_are_painted_that_nobody_addressed_to_the_bot(name: str) -> None:
    figures = measure(read_labelled(FOLDER / name, is_addressed=False))
    assert figures["painted_share"] <= 0.02
    assert figures["taken_share"] >= 0.9


def test_a_line_without_a_label_is_named(tmp_path: Path) -> None:
    (tmp_path / "said.tsv").write_text("make it red\tedit\nhello\tgreeting\n")
    with pytest.raises(ValueError, match=":2: 'greeting' is none of"):
        [*read_labelled(tmp_path / "said.tsv")]


def test_a_file_may_say_which_messages_were_not_addressed(tmp_path: Path) -> None:
    (tmp_path / "said.tsv").write_text("sleeping\tedit\tchannel\n@bot sleeping\tedit\n")
    assert [answer(said) for said in read_labelled(tmp_path / "said.tsv")] == ["ignore", "unsure"]


@pytest.mark.parametrize("text", ["the " * 200 + "x", "a bit " * 200, "red and " * 300, "can you " * 100])
def test_no_text_takes_long(text: str) -> None:
    """RE2 is linear and the words are counted: this would run for minutes with backtracking."""
    understand(text, "en")


@pytest.mark.parametrize("known", ["en", "de", "es"])
@pytest.mark.parametrize(
    ("degrees", "qualities", "please"),
    [
        (["a bit", "slightly"], ["lighter", "nicer", "less bright"], "please"),
        (["etwas", "ein bisschen"], ["heller", "schöner", "klarer"], "bitte"),
        (
            ["un poco", "ligeramente", "algo"],
            ["más claro", "menos claro", "más bonito", "más genial", "mejor", "más oscuro"],
            "por favor",
        ),
    ],
    ids=["en", "de", "es"],
)
def test_a_degree_and_how_the_picture_should_be_is_an_instruction(
    degrees: list[str], qualities: list[str], please: str, known: str
) -> None:
    """Also where the adjective is otherwise politeness or praise: "claro", "genial"."""
    said = [f"{degree} {quality}" for degree in degrees for quality in qualities]
    said += [f"{text} {please}" for text in said]
    assert [text for text in said if understand(text, known).asks is not Asks.EDIT] == []


@pytest.mark.parametrize("text", ["much better", "viel besser", "mucho mejor", "claro", "so cool", "genial"])
def test_praise_is_never_painted_or_taken_for_a_command(text: str) -> None:
    assert understand(text, "en").asks in (Asks.IGNORE, Asks.UNSURE)


@pytest.mark.parametrize("language", ["en", "de", "es"])
@pytest.mark.parametrize(
    "text",
    [
        "not bad",
        "not wrong",
        "isn't it?",
        "great, isn't it?",
        "wasn't it?",
        "nicht falsch",
        "nicht schlecht",
        "gar nicht schlecht",
        "no está mal",
        "no está mal, gracias",
        "no esta mal",
        "no es incorrecto",
        "qué mal",
    ],
)
def test_a_denied_fault_or_a_tag_question_does_not_take_the_result_back(text: str, language: str) -> None:
    assert understand(text, language).asks in (Asks.IGNORE, Asks.UNSURE)


@pytest.mark.parametrize(
    "text",
    [
        "no está mal, más oscuro",
        "nicht schlecht, dunkler",
        "not bad, but darker",
        "no es incorrecto, más oscuro",
    ],
)
def test_praise_before_an_instruction_takes_nothing_back(text: str) -> None:
    sorted_text = sort_text(text, "en")
    assert (sorted_text.asks, sorted_text.first) == (Asks.EDIT, None)


@pytest.mark.parametrize(
    "text", ["no, está mal", "está mal", "that isn't it", "isn't quite it", "isn't right", "nein, falsch"]
)
def test_a_fault_takes_the_result_back(text: str) -> None:
    assert understand(text, "en").command == TextCommand(CommandWord.REJECT)


@pytest.mark.parametrize(
    "text",
    [
        "did you see the match?",
        "have you seen the match?",
        "do you like pizza?",
        "are you coming tonight?",
        "are you free tonight?",
        "what are you up to?",
        "how do you like the movie?",
        "why are you late?",
        "do you remember last summer?",
        "hast du das Spiel gesehen?",
        "magst du Pizza?",
        "bist du noch wach?",
        "warum bist du so spät?",
        "¿viste el partido?",
        "¿te gusta el fútbol?",
        "¿eres de Madrid?",
        "¿por qué has llegado tarde?",
    ],
)
def test_a_question_to_you_about_something_else_is_chatter(text: str) -> None:
    assert understand(text, "en").asks is Asks.IGNORE


@pytest.mark.parametrize(
    "text",
    [
        "are you a bot?",
        "are you free?",
        "who are you?",
        "what are you?",
        "how did you do that?",
        "why are you so slow?",
        "why did you change the background?",
        "do you remember my pictures?",
        "have you seen my photo?",
        "do you sleep?",
        "bist du ein Bot?",
        "warum antwortest du nicht?",
        "warum hast du den Hintergrund geändert?",
        "¿eres un bot?",
        "¿guardas mis fotos?",
        "¿por qué has cambiado el fondo?",
    ],
)
def test_a_question_about_the_bot_gets_its_help(text: str) -> None:
    assert understand(text, "en").asks is Asks.HELP


@pytest.mark.parametrize("text", ["I think the first one looked better", "I guess v2 was better"])
def test_an_opinion_about_a_version_moves_nothing_unasked(text: str) -> None:
    found = understand(text, "en")
    assert found.asks is Asks.UNSURE
    assert found.command is not None
    assert found.command.word is CommandWord.GO_TO
    assert understand(text, "en", is_addressed=False).asks is Asks.IGNORE
