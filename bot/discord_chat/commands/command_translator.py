"""Commands in users' languages: the domain `commands` of the catalogues, by the English text.

Names (contexts "name") and descriptions ("text") may share an English word. What a catalogue does not name
stays English; a test holds that nothing is left out.
"""

import asyncio

from discord import Locale
from discord.app_commands import TranslationContextLocation, TranslationContextTypes, Translator, locale_str

from bot.i18n.catalog import ENGLISH, match_locale, translations

NAMES = (
    TranslationContextLocation.command_name,
    TranslationContextLocation.group_name,
    TranslationContextLocation.parameter_name,
)


class CommandTranslator(Translator):
    """Translates names and descriptions of commands for Discord to show."""

    async def translate(
        self, string: locale_str, locale: Locale, context: TranslationContextTypes
    ) -> str | None:
        """The text in that language, None where English is shown; called by discord.py."""
        language = match_locale(locale.value)
        if language == ENGLISH:
            return None
        catalogue = translations(language, "commands")
        await asyncio.sleep(0)  # called thousands of times in a row at the start: let other tasks run
        kind = "name" if context.location in NAMES else "text"
        return str(catalogue.upgettext(kind, string.message))
