"""Yes and no, in words, in three languages; what says more than that is neither."""

import pytest

from conversations.intents.sorted_text import YesNo
from conversations.intents.yes_or_no import yes_or_no

SAID = {
    YesNo.YES: "yes|Yes!|yeah|yep, sure|ok|OK 👍|👍|👌🏽|sure thing|go ahead|yes please|of course!|"
    "fine by me|it's fine|yes, go for it|why not|I don't mind|you can|yes he can|sure, just this once|"
    "yes, but only once|do it|no problem|alright then|haha yes|hey bot, yes|thanks, yes|allowed|"
    "yes yes yes|ja|Ja!|klar|na klar|ja gerne|okay, mach|von mir aus|das ist ok|ja bitte|"
    "ja, aber nur einmal|darf sie|ja, das darf er|einverstanden|nur zu|habe nichts dagegen|"
    "ja, sie darf das|meinetwegen|sí|si|Sí, claro|vale|claro que sí|por supuesto|adelante|"
    "ok, dale|sin problema|sí, por favor|puede|sí, pero solo una vez|de acuerdo|por mí vale|"
    "me parece bien|no me importa",
    YesNo.ALWAYS: "always|yes, always|you can always edit it|any time|don't ask again|"
    "yes, they can always do that|immer|ja, immer|jederzeit|frag mich nicht mehr|"
    "du darfst immer|siempre|sí, siempre|cuando quieras|no me preguntes más",
    YesNo.NO: "no|No!|nope|nah|no thanks|never|no way|👎|❌|please don't|don't|you can't|no, sorry|"
    "I'd rather not|not this time|absolutely not|don't edit it|no, I don't want that|hands off|"
    "no 😅|nein|Nein!|nö|nee, lieber nicht|auf keinen Fall|bitte nicht|das darf sie nicht|"
    "nein danke|niemals|ich möchte das nicht|diesmal nicht|er darf das nicht|finger weg|"
    "no, gracias|nunca|mejor no|claro que no|ni hablar|no puede|no quiero|prefiero que no|"
    "esta vez no|no lo hagas",
    None: "|maybe|what for?|make it darker|yes and no|who are you|show me first|no idea|"
    "yes, make it darker|vielleicht|wofür?|mach es dunkler|ja, mach es heller|erst zeigen|"
    "quizás|para qué|hazlo más oscuro|only if it gets no hat|lol|😂|thanks|undo",
}


@pytest.mark.parametrize(
    ("said", "answer"), [(said, answer) for answer, texts in SAID.items() for said in texts.split("|")]
)
def test_yes_and_no_are_known_however_they_are_said(said, answer):
    assert yes_or_no(said) is answer
