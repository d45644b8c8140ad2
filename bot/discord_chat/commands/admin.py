"""/admin: what those who run a server decide there. Discord shows it to them alone, as they set it up."""

from typing import Literal

import discord
from discord import app_commands
from discord.ext import commands

from bot.chat.moderation_events import ModAction, ModActionRequested
from bot.discord_chat.ids import channel_key, person_key
from bot.discord_chat.interaction_context import Interaction, InteractionHandler, origin_of

Channels = Literal["edits on", "edits off", "behind spoilers", "plain words on", "plain words off"]
CHANNEL_ACTIONS = {
    "edits on": ModAction.OPEN,
    "edits off": ModAction.CLOSE,
    "behind spoilers": ModAction.HIDE,
    "plain words on": ModAction.LISTEN,
    "plain words off": ModAction.IGNORE,
}


@app_commands.default_permissions(manage_guild=True)
@app_commands.allowed_contexts(guilds=True, dms=False, private_channels=False)
@app_commands.allowed_installs(guilds=True, users=False)
class AdminCog(commands.GroupCog, name="admin", description="Decide for this server"):
    """Look, pause, cancel, block, limit, and say where edits are taken and reports go."""

    def __init__(self, handler: InteractionHandler) -> None:
        self.handler = handler
        super().__init__()

    async def _request(
        self, interaction: Interaction, action: ModAction, subject: str = "", **numbers: int | None
    ) -> None:
        if await self.handler.acknowledge(interaction):
            # Discord shows these commands only to those whom the server chose for them.
            who = origin_of(interaction)
            who["is_moderator"] = interaction.guild_id is not None
            asked = ModActionRequested(
                **who,
                action=action,
                subject=subject,
                waiting=numbers.get("waiting"),
                per_day=numbers.get("per_day"),
            )
            await self.handler.respond(interaction, asked)

    @app_commands.command(name="status", description="What holds in this server, and what goes on here")
    async def status(self, interaction: Interaction) -> None:
        """Rules and unfinished edits."""
        await self._request(interaction, ModAction.STATUS)

    @app_commands.command(name="log", description="Who decided what here")
    async def log(self, interaction: Interaction) -> None:
        """The newest decisions."""
        await self._request(interaction, ModAction.LOG)

    @app_commands.command(name="pause", description="Take no new edits in this server; queued ones are done")
    async def pause(self, interaction: Interaction) -> None:
        """Stop admitting."""
        await self._request(interaction, ModAction.PAUSE)

    @app_commands.command(name="resume", description="Take edits again")
    async def resume(self, interaction: Interaction) -> None:
        """Admit again."""
        await self._request(interaction, ModAction.RESUME)

    @app_commands.command(name="cancel", description="Cancel what somebody has in line in this server")
    @app_commands.describe(person="Whose edits")
    async def cancel(self, interaction: Interaction, person: discord.User) -> None:
        """Everything of theirs that waits or runs here."""
        await self._request(interaction, ModAction.CANCEL, person_key(person.id))

    @app_commands.command(name="block", description="Take no more edits of somebody in this server")
    @app_commands.describe(person="Whose edits")
    async def block(self, interaction: Interaction, person: discord.User) -> None:
        """What they have in line is cancelled, too."""
        await self._request(interaction, ModAction.BLOCK, person_key(person.id))

    @app_commands.command(name="unblock", description="Take somebody's edits again")
    @app_commands.describe(person="Whose edits")
    async def unblock(self, interaction: Interaction, person: discord.User) -> None:
        """They may ask again."""
        await self._request(interaction, ModAction.UNBLOCK, person_key(person.id))

    @app_commands.command(name="channel", description="What I do in this channel")
    @app_commands.describe(do="Take edits, show pictures openly, read words that do not name me")
    async def channel(self, interaction: Interaction, do: Channels) -> None:
        """One switch of the channel it is used in."""
        await self._request(interaction, CHANNEL_ACTIONS[do], channel_key(interaction.channel_id or 0))

    @app_commands.command(name="limits", description="How much each person may ask for in this server")
    @app_commands.describe(
        waiting="Edits of one person that may wait at a time; 0 for the bot's own limit",
        per_day="Edits of one person in 24 hours; 0 for no limit",
    )
    async def limits(
        self,
        interaction: Interaction,
        waiting: app_commands.Range[int, 0, 100] | None = None,
        per_day: app_commands.Range[int, 0, 1000] | None = None,
    ) -> None:
        """What is not named stays as it is."""
        await self._request(interaction, ModAction.LIMITS, waiting=waiting, per_day=per_day)

    @app_commands.command(name="pictures", description="Whose pictures may be edited in this server")
    @app_commands.describe(whose="Other people's with their consent, or only one's own")
    async def pictures(self, interaction: Interaction, whose: Literal["with consent", "only own"]) -> None:
        """A switch against edits of what others posted."""
        await self._request(interaction, ModAction.OWN_ONLY if whose == "only own" else ModAction.BY_CONSENT)

    @app_commands.command(name="reports", description="Show reports and appeals in this channel")
    async def reports(self, interaction: Interaction) -> None:
        """The channel it is used in becomes the moderators'."""
        await self._request(interaction, ModAction.REPORTS, channel_key(interaction.channel_id or 0))

    @app_commands.command(name="lift", description="Take pictures like a removed one again")
    @app_commands.describe(mark="The mark of the removed picture, as /admin status lists it")
    async def lift(self, interaction: Interaction, mark: app_commands.Range[str, 16, 16]) -> None:
        """Undo a bar."""
        await self._request(interaction, ModAction.UNBLOCK_IMAGE, mark)
