"""Which servers the bot is in: what belongs to a server is forgotten some time after the bot left it."""

import discord
from discord.ext import commands

from bot.discord_chat.ids import CHAT
from conversations.store.ageing import Ageing


class Membership(commands.Cog):
    """Records servers joined and left, also while the bot was off."""

    def __init__(self, bot: discord.Client, ageing: Ageing) -> None:
        self._bot, self._ageing = bot, ageing

    @commands.Cog.listener()
    async def on_ready(self) -> None:
        """Every server is known now."""
        await self._record()

    @commands.Cog.listener()
    async def on_guild_join(self, _: discord.Guild) -> None:
        """The bot was invited, for the first time or again."""
        await self._record()

    @commands.Cog.listener()
    async def on_guild_remove(self, guild: discord.Guild) -> None:
        """The bot was removed, or the server was deleted."""
        await self._ageing.server_left(f"{CHAT}:{guild.id}")

    async def _record(self) -> None:
        await self._ageing.servers_present(CHAT, [f"{CHAT}:{guild.id}" for guild in self._bot.guilds])
