"""Cards as layouts: within Discord's bounds whatever is on them."""

from dataclasses import replace
from typing import Any

import pytest

from bot.chat.events import ButtonAction
from bot.chat.replies import (
    AskTarget,
    Card,
    CardState,
    History,
    ImageChoice,
    SettingRow,
    SettingsPanel,
    buttons,
)
from bot.discord_chat.ui.attachments import PictureFile
from bot.discord_chat.ui.buttons import ButtonId, CardButton, base36
from bot.discord_chat.ui.layouts import (
    AttachedImage,
    bar,
    card_layout,
    history_layout,
    more_layout,
    settings_text,
    target_layout,
)
from bot.discord_chat.ui.markdown import LAYOUT_CHARS, discord_translator, escape, fitted, plain
from bot.i18n.catalog import translator
from conversations.messages import Message, verbatim
from tests.support.discord_server.limits import check_message, every_component
from tests.support.discord_server.world import COMPONENTS_V2

ENGLISH = translator("en")
OWNER = f"discord:{2**63 - 1}"
FULL = Card(
    turn_id="k3f9",
    version="v3",
    origin=Message("from", parent="v2"),
    parent_version="v2",
    owner=OWNER,
    state=CardState.DONE,
    instruction="make *it* darker " * 200,
    expressive="the scene is set at dusk " * 200,
    parent_key="discord:12:34",
    facts=(Message("fact_text", value=7.5),),
    notes=tuple(verbatim(f"note {n}") for n in range(5)),
    buttons=buttons(*list(ButtonAction)[:25]),  # five full rows; no card has as many
)
PICTURE = PictureFile(b"", "png")
SHOTS = (AttachedImage(PICTURE, "before", "before " * 300), AttachedImage(PICTURE, "after", "after " * 300))


def components(view: Any) -> list[dict[str, Any]]:
    """The components as sent, after the service's checks."""
    sent: list[dict[str, Any]] = view.to_components()
    check_message({"components": sent}, COMPONENTS_V2)
    return list(every_component(sent))


def texts(view: Any) -> str:
    return "\n".join(c["content"] for c in components(view) if "content" in c)


@pytest.mark.parametrize("state", list(CardState))
def test_the_fullest_card_keeps_to_discords_bounds(state: CardState) -> None:
    assert components(card_layout(replace(FULL, state=state), SHOTS, 1, ENGLISH, verbatim("opening")))


def test_the_parent_is_linked_in_servers_and_dms() -> None:
    assert "[from v2 ↗](https://discord.com/channels/5/12/34)" in texts(card_layout(FULL, (), 5, ENGLISH))
    assert "[from v2 ↗](https://discord.com/channels/@me/12/34)" in texts(
        card_layout(FULL, (), None, ENGLISH)
    )


def test_a_running_card_shows_bar_and_stage() -> None:
    running = replace(
        FULL, state=CardState.RUNNING, fraction=0.24, status=Message("painting", step=12, steps=50), facts=()
    )
    assert "▓▓░░░░░░░░ 24 % · step 12/50" in texts(card_layout(running, (), 1, ENGLISH))


def test_a_longer_wait_counts_itself_down() -> None:
    waiting = replace(FULL, state=CardState.QUEUED, status=Message("place", place=3, total=7), wait_s=20.0)
    assert "Position 3 of 7 in the queue · <t:1700000020:R>" in texts(
        card_layout(waiting, (), 1, ENGLISH, now=1_700_000_000.0)
    )
    soon = replace(waiting, status=Message("place", place=1, total=1), wait_s=3.0)
    assert "about under 5 s" in texts(card_layout(soon, (), 1, ENGLISH, now=1_700_000_000.0))


def test_users_words_bring_no_markdown_and_no_lines_of_their_own() -> None:
    assert plain("# big\n**bold** `code`", 100) == r"\# big \*\*bold\*\* \`code\`"
    assert plain("[prize](https://evil.example)", 100) == r"\[prize\](https:\//evil.example)"
    assert plain("word " * 100, 20).endswith("…")


@pytest.mark.parametrize(("share", "drawn"), [(-1, "░" * 10), (0.5, "▓" * 5 + "░" * 5), (2, "▓" * 10)])
def test_the_bar_stays_within_itself(share: float, drawn: str) -> None:
    assert bar(share) == drawn


def test_button_ids_say_everything_and_read_back() -> None:
    button = ButtonId("refine", "k3f9", 123456789)
    found = CardButton.__discord_ui_compiled_template__.fullmatch(str(button))
    assert found is not None
    assert ButtonId.read(found) == button
    assert int(base36(2**63), 36) == 2**63


def test_which_keeps_the_words_and_offers_the_pictures() -> None:
    which = AskTarget(Message("which_picture"), "make it\ndarker", (ImageChoice("k3f9", "v3", "key", "red"),))
    view = target_layout(which, SHOTS[:1], ENGLISH)
    assert "> make it darker" in texts(view)
    assert [c["custom_id"] for c in components(view) if c.get("custom_id")] == ["e1:choose:k3f9:"]


def test_a_long_history_shows_its_newest_part() -> None:
    cards = tuple(
        replace(FULL, turn_id=f"t{n}", version=f"v{n}", origin=Message("from", parent=f"v{n - 1}"))
        for n in range(1, 60)
    )
    history = History(Message("versions", count=59), cards, "t58")
    text = texts(history_layout(history, (), ENGLISH))
    assert "**●** v58 · from v57" in text
    assert "v1 · " not in text
    assert text.endswith("more")


@pytest.mark.parametrize("is_exact", [False, True])
def test_other_seeds_are_offered_of_what_has_any(is_exact: bool) -> None:
    card = replace(FULL, is_exact=is_exact)
    drawn = more_layout(History(Message("versions", count=1), (card,), card.turn_id), card, ENGLISH)
    assert ("Four seeds" in [c.get("label") for c in components(drawn)]) is not is_exact


def test_the_panel_names_value_and_origin() -> None:
    row = SettingRow(Message("setting.steps"), verbatim("50"), Message("scope_person"))
    assert settings_text(SettingsPanel(None, (row,)), ENGLISH) == "**steps** 50 · *you*"


def test_text_is_cut_by_its_length_as_escaped() -> None:
    for text in ("*" * 500, "a*b" * 200, "<@1> " * 100):
        assert len(plain(text, 300)) <= 300
    assert plain("*" * 10, 20) == escape("*" * 10)


def test_what_does_not_fit_is_counted() -> None:
    translate = discord_translator("en")
    lines = [f"line {number} " + "x" * 90 for number in range(100)]
    text = fitted(lines, LAYOUT_CHARS, translate)
    shown = text.count("line ")
    assert len(text) <= LAYOUT_CHARS
    assert text.endswith(translate(Message("and_more", count=100 - shown)))
    assert fitted(["short"], 10, translate) == "short"
    assert len(fitted(["y" * 5000, "z"], LAYOUT_CHARS, translate)) <= LAYOUT_CHARS
