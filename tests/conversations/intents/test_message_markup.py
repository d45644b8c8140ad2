"""What chats put into a text besides words is taken off."""

import pytest

from conversations.intents.message_markup import strip_markup


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("make it darker <:nice:123>", "make it darker"),
        ("make it <a:wow:123456789> darker", "make it darker"),
        ("<@12> <@!13> <@&14> make it red <#15>", "make it red"),
        ("**make** it _red_, __now__ ~~please~~ ||ok||", "make it red, now please ok"),
        ("`undo`", "undo"),
        ("```\nmake it red\n```", "make it red"),
        ("make it red\n```py\nprint(1)\n```", "make it red"),
        ("> thanks\nmake it red", "make it red"),
        ("> make it red", ""),
        (">>> make it red\nand blue", ""),
        ("# make it red", "make it red"),
        ("- make it red", "make it red"),
        ("make it red https://example.org/a?b=c", "make it red"),
        ("[make it red](https://example.org)", ""),
        ("https://tenor.com/view/dance-123", ""),
        ("</session undo:123456>", "/session undo"),
        ("see <t:1700000000:R>", "see"),
        ("undo 🙏", "undo"),
        ("undo🙏!", "undo!"),
        ("🔥🔥", ""),
        ("add a 🌈", "add a 🌈"),
        ("car -> blue", "car -> blue"),
        ("make it snake_case_blue", "make it snake_case_blue"),
        ("  many   spaces ", "many spaces"),
    ],
)
def test_markup_is_taken_off(text: str, words: str) -> None:
    assert strip_markup(text) == words
