"""Instructions in languages that a model does not read are recognised; those it reads are never refused."""

from pathlib import Path

import pytest

from conversations.intents.text_language import is_read
from tests.support.labelled_messages import read_labelled

FOLDER = Path(__file__).parent
OTHERS = """\
rends-le plus sombre|ajoute un chapeau|enlève la voiture|fais le ciel plus bleu|сделай темнее|добавь шляпу
暗くして|加一顶帽子|rendilo più scuro|aggiungi un cappello|deixe mais escuro|remova o carro|maak het donkerder
verwijder de auto|zrób to ciemniejsze|usuń samochód|gør det mørkere|ta bort bilen|tee siitä tummempi
daha koyu yap|اجعله أغمق|שים כובע|더 어둡게 해줘|udělej to tmavší|κάνε το πιο σκούρο|làm cho nó tối hơn
buat lebih gelap|mach es dunkler|den Hut entfernen|haz el cielo azul|quita el coche"""


@pytest.mark.parametrize("text", OTHERS.replace("\n", "|").split("|"))
def test_other_languages_are_recognised(text: str) -> None:
    assert not is_read(text, ("en",))


@pytest.mark.parametrize(
    "text",
    [
        "sepia",
        "brighter",
        "more contrast",
        "car -> blue",
        "teal house",
        "make it kawaii",
        "vaporwave pls",
        "🌈",
    ],
)
def test_short_instructions_are_read(text: str) -> None:
    assert is_read(text, ("en",))


def test_a_model_may_read_several_languages_or_any() -> None:
    assert is_read("mach es dunkler", ("en", "de"))
    assert not is_read("haz el cielo azul", ("en", "de"))
    assert is_read("сделай темнее", ())


@pytest.mark.parametrize(("name", "english"), [("channel.tsv", 34), ("mixed.tsv", 40)])
def test_english_edits_of_the_sets_are_read_and_no_others(name: str, english: int) -> None:
    edits = [said.text for said in read_labelled(FOLDER / name) if said.label == "edit"]
    read = [text for text in edits if is_read(text, ("en",))]
    assert abs(len(read) - english) <= 1, read
