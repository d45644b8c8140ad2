"""Which words are refused, and which are not although they look alike."""

from dataclasses import replace

import pytest

from bot.chat.events import GridAsked, VariationAsked
from bot.policy.word_rules import NO_WORD_RULES, WordRulesError, built_in_rules, read_rules
from conversations.request_source import RequestSource
from conversations.variations import Variation
from tests.support.fakes import EchoEditor, ScriptedEditor, a_picture
from tests.support.workflow_room import NO_PACE, workflow_room

UNDRESS = (
    "undress her", "Remove her clothes!", "take off his shirt", "take her T-shirt off", "make them naked",
    "show the woman nude", "un\u200bdress the man", "put her in a bikini", "a see-through dress",
    "zieh sie aus", "mach die Frau nackt", "Zieh ihr die Bluse aus", "die Frau ohne Kleidung",
    "entferne ihre Kleider",
    "desnuda a la mujer", "quítale la ropa", "ponla en ropa interior", "sin ropa", "déjala DESNUDA",
)  # fmt: skip
MINORS = (
    "make the girl sexy",
    "the child in lingerie",
    "das Kind in Dessous",
    "una niña erótica",
    "a seductive teen",
)
FINE = (
    "make the dress red", "remove the shirt from the chair", "make her dress blue", "take off his hat",
    "remove her glasses", "use nude lipstick", "make the child's ball red", "make the sky darker",
    "a stripped wall",
    "mach das Kleid rot", "zieh den Himmel dunkler", "entferne die Hose auf dem Stuhl",
    "mach das Kind größer",
    "pon el vestido azul", "quita el coche", "la niña con un globo rojo", "make it warmer", "undo",
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "rule"), [*((t, "undress") for t in UNDRESS), *((t, "minors") for t in MINORS)]
)
def test_refused(text, rule):
    assert built_in_rules().refused_by(text) == rule


@pytest.mark.parametrize("text", FINE)
def test_not_refused(text):
    assert built_in_rules().refused_by(text) is None


def test_an_operator_adds_rules_lists_and_what_is_allowed(tmp_path):
    table = tmp_path / "rules.toml"
    table.write_text(
        'allow = ["naked mole rat"]\n[lists]\nminor = ["pupil"]\nparty = ["red party"]\n'
        '[[rule]]\nname = "politics"\nphrases = ["{party} & poster*"]\n'
    )
    rules = read_rules(table)
    assert rules.refused_by("a sexy pupil") == "minors"
    assert rules.refused_by("a naked mole rat") is None
    assert rules.refused_by("posters of the Red Party") == "politics"
    assert rules.objection("posters of the red party").code == "refused_words.other"
    assert rules.objection("make it red", None, "undress her").code == "refused_words.undress"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("rule = 3", "rule"),
        ('[[rule]]\nname = "x"\nphrases = ["{nobody}"]', "no list"),
        ('[[rule]]\nname = "x"\nphrases = ["(a+)+"]', "no phrase"),
        ("allow = [", "end of document"),
    ],
)
def test_a_table_that_cannot_be_read_says_why(tmp_path, text, reason):
    table = tmp_path / "rules.toml"
    table.write_text(text)
    with pytest.raises(WordRulesError, match=reason):
        read_rules(table)
    with pytest.raises(WordRulesError, match="cannot be read"):
        read_rules(tmp_path / "none.toml")


async def test_every_kind_of_edit_is_refused_and_counted(tmp_path):
    async with workflow_room(tmp_path, EchoEditor()) as d:
        made = (await d.accepted("darker", picture=a_picture(), source=RequestSource(server="paper:s"))).card
        await d.idle()
        for asked in (
            d.asked("undress her", picture=a_picture()),
            d.asked("make it red", reading="She is naked now."),
            GridAsked(**d.origin(), text="undress her"),
            VariationAsked(
                **d.origin(), turn=made.turn_id, variation=Variation.CORRECTED, reading="She is naked now."
            ),
        ):
            assert (await d.workflow.handle(asked)).text.code == "refused_words.undress"
        assert d.workflow.metrics.edits_dropped.labels("words")._value.get() == 4


async def test_a_waiting_edit_does_not_become_a_refused_one_by_editing_its_message(tmp_path):
    async with workflow_room(tmp_path, ScriptedEditor()) as d:
        first = d.asked("darker", picture=a_picture())
        second = d.asked("make it red", channel="c2", picture=a_picture())
        await d.workflow.handle(first)
        await d.workflow.handle(second)
        assert not await d.workflow.message_edited(second.event_id, "undress her")
        assert await d.workflow.message_edited(second.event_id, "make it green")


async def test_without_rules_nothing_is_refused(tmp_path):
    async with workflow_room(tmp_path, EchoEditor(), limits=replace(NO_PACE, words=NO_WORD_RULES)) as d:
        await d.accepted("undress her", picture=a_picture())
