"""/admin: settings and moderation of a server. Discord shows it only to those whom the server allows."""

from typing import Literal

import discord
from discord import app_commands
from discord.ext import commands

from bot.chat.moderation_events import ModAction, ModActionRequested
from bot.discord_chat.commands.plain_command import plain_command
from bot.discord_chat.ids import channel_key, user_key
from bot.discord_chat.interactions import HasHandler, Interaction, Response, acknowledged, origin_of

Channels = Literal[
    "edits on",
    "edits off",
    "edits only here",
    "edits in all channels",
    "behind spoilers",
    "showcase here",
    "no showcase",
    "a thread for each picture",
    "no threads",
    "plain words on",
    "plain words off",
]
CHANNEL_ACTIONS = {
    "edits on": ModAction.OPEN,
    "edits off": ModAction.CLOSE,
    "edits only here": ModAction.ONLY,
    "edits in all channels": ModAction.EVERYWHERE,
    "behind spoilers": ModAction.HIDE,
    "showcase here": ModAction.SHOWCASE,
    "no showcase": ModAction.NO_SHOWCASE,
    "a thread for each picture": ModAction.THREADS,
    "no threads": ModAction.NO_THREADS,
    "plain words on": ModAction.LISTEN,
    "plain words off": ModAction.IGNORE,
}


def requested(
    interaction: Interaction,
    action: ModAction,
    subject: str = "",
    *,
    waiting: int | None = None,
    per_day: int | None = None,
) -> ModActionRequested:
    """The event of an /admin command. Users who see these commands in Discord may use them."""
    who = origin_of(interaction)
    who["is_moderator"] = interaction.guild_id is not None
    return ModActionRequested(**who, action=action, subject=subject, waiting=waiting, per_day=per_day)


@app_commands.default_permissions(manage_guild=True)
@app_commands.allowed_contexts(guilds=True, dms=False, private_channels=False)
@app_commands.allowed_installs(guilds=True, users=False)
class AdminCog(HasHandler, commands.GroupCog, name="admin", description="Moderate this server"):
    """Status, log, pause, cancel, block, limits, channels, reports."""

    status = plain_command(
        "status",
        "Show the settings of this server and its unfinished edits",
        lambda i: requested(i, ModAction.STATUS),
    )
    log = plain_command("log", "Show the audit log of this server", lambda i: requested(i, ModAction.LOG))
    pause = plain_command(
        "pause",
        "Pause new edits in this server; queued edits still run",
        lambda i: requested(i, ModAction.PAUSE),
    )
    resume = plain_command("resume", "Accept new edits again", lambda i: requested(i, ModAction.RESUME))

    @app_commands.command(
        name="cancel", description="Cancel all queued and running edits of a user in this server"
    )
    @app_commands.describe(user="Whose edits")
    @acknowledged
    async def cancel(self, interaction: Interaction, user: discord.User) -> Response:
        """Cancel all queued and running edits of a user here."""
        return requested(interaction, ModAction.CANCEL, user_key(user.id))

    @app_commands.command(name="block", description="Block a user from making edits in this server")
    @app_commands.describe(user="Whose edits")
    @acknowledged
    async def block(self, interaction: Interaction, user: discord.User) -> Response:
        """Block a user and cancel their queued edits."""
        return requested(interaction, ModAction.BLOCK, user_key(user.id))

    @app_commands.command(name="unblock", description="Unblock a user")
    @app_commands.describe(user="Whose edits")
    @acknowledged
    async def unblock(self, interaction: Interaction, user: discord.User) -> Response:
        """Unblock a user."""
        return requested(interaction, ModAction.UNBLOCK, user_key(user.id))

    @app_commands.command(name="channel", description="What the bot does in this channel")
    @app_commands.describe(do="Enable edits, show pictures openly, read messages that do not mention the bot")
    @acknowledged
    async def channel(self, interaction: Interaction, do: Channels) -> Response:
        """Change one setting of this channel, or of all."""
        action = CHANNEL_ACTIONS[do]
        here = "" if action is ModAction.EVERYWHERE else channel_key(interaction.channel_id or 0)
        return requested(interaction, action, here)

    @app_commands.command(name="limits", description="Limit the edits of each user in this server")
    @app_commands.describe(
        waiting="Queued edits per user; 0 for the bot's own limit",
        per_day="Edits per user in 24 hours; 0 for no limit",
    )
    @acknowledged
    async def limits(
        self,
        interaction: Interaction,
        waiting: app_commands.Range[int, 0, 100] | None = None,
        per_day: app_commands.Range[int, 0, 1000] | None = None,
    ) -> Response:
        """Change the named limits; others stay."""
        return requested(interaction, ModAction.LIMITS, waiting=waiting, per_day=per_day)

    @app_commands.command(name="pictures", description="Whose pictures may be edited in this server")
    @app_commands.describe(whose="Pictures of others with their consent, or only the user's own")
    @acknowledged
    async def pictures(
        self, interaction: Interaction, whose: Literal["with consent", "only own"]
    ) -> Response:
        """Allow or forbid edits of other users' images."""
        return requested(interaction, ModAction.OWN_ONLY if whose == "only own" else ModAction.BY_CONSENT)

    reports = plain_command(
        "reports",
        "Show reports and appeals in this channel",
        lambda i: requested(i, ModAction.REPORTS, channel_key(i.channel_id or 0)),
    )

    @app_commands.command(name="lift", description="Unblock pictures like a removed one")
    @app_commands.rename(image_hash="hash")
    @app_commands.describe(image_hash="The hash of the removed picture, as listed by /admin status")
    @acknowledged
    async def lift(self, interaction: Interaction, image_hash: app_commands.Range[str, 16, 16]) -> Response:
        """Unblock an image hash."""
        return requested(interaction, ModAction.UNBLOCK_IMAGE, image_hash)
