"""Commands in people's languages: English text → translation, a file per language in `locales/`.

What a file does not name stays English. A test holds that nothing is left out.
"""

import asyncio
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from discord import Locale
from discord.app_commands import TranslationContextLocation, TranslationContextTypes, Translator, locale_str

from bot.i18n.catalog import known_language

LOCALES = Path(__file__).parent / "locales"
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
        if locale in (Locale.american_english, Locale.british_english):
            return None
        tables = phrases(known_language(locale.value))
        await asyncio.sleep(0)  # at the start this is called thousands of times in a row; others get a turn
        return tables["names" if context.location in NAMES else "texts"].get(string.message)


@cache
def phrases(language: str) -> Mapping[str, Mapping[str, str]]:
    """The tables `names` and `texts` of a language; empty ones for a language there is no file of."""
    path = LOCALES / f"{language}.toml"
    if not path.exists():
        return {"names": {}, "texts": {}}
    tables: Mapping[str, Mapping[str, str]] = tomllib.loads(path.read_text("utf-8"))
    return tables
