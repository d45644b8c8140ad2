"""/operator: what operators decide for all servers; the same as `mgie-bot admin`.

Registered only where the bot has operators. In a DM everybody sees the group; a rule of admission asks who
the user is.
"""

from typing import Literal

import discord
from discord import app_commands
from discord.ext import commands

from bot.chat.operator_events import OperatorAct, OperatorActRequested
from bot.discord_chat.commands.plain_command import asks, command_of, plain_command
from bot.discord_chat.inbound.downloads import RemoteFile
from bot.discord_chat.inbound.inbound_images import files_offer
from bot.discord_chat.interactions import HasHandler, Interaction, Response, acknowledged, origin_of
from bot.workflow.operator_decisions import ANNOUNCEMENT_CHARS

ShareName = Literal["user_hour", "user_day", "server_hour", "server_day", "all_hour", "all_day"]
Word = app_commands.Range[str, 1, 100]


def _plain(act: OperatorAct, description: str) -> "app_commands.Command[OperatorCog, ..., None]":
    return plain_command(act.value, description, asks(OperatorActRequested, act=act))


def _about_user(act: OperatorAct, description: str) -> "app_commands.Command[OperatorCog, ..., None]":
    @app_commands.describe(user="A mention, a number, or a key as in an export")
    async def callback(self: "OperatorCog", interaction: Interaction, user: Word) -> Response:
        return self.asked(interaction, act, user)

    return command_of(act.value, description, callback)


def _about_picture(act: OperatorAct, description: str) -> "app_commands.Command[OperatorCog, ..., None]":
    @app_commands.describe(
        picture="The picture", which="In place of a picture: its hash, or the id of a version"
    )
    async def callback(
        self: "OperatorCog",
        interaction: Interaction,
        picture: discord.Attachment | None = None,
        which: Word | None = None,
    ) -> Response:
        return self.asked(interaction, act, which or "", picture)

    return command_of(act.value, description, callback)


@app_commands.default_permissions(manage_guild=True)
@app_commands.allowed_contexts(guilds=True, dms=True, private_channels=False)
@app_commands.allowed_installs(guilds=True, users=False)
class OperatorCog(
    HasHandler,
    commands.GroupCog,
    name="operator",
    description="For the operators of this bot: decide for all servers",
):
    """Status, log, pause, drain, block, bar, remove, notices, announce, shares."""

    status = _plain(OperatorAct.STATUS, "What is decided for all servers, and what goes on")
    pause = _plain(OperatorAct.PAUSE, "Pause new edits everywhere; queued edits still run")
    resume = _plain(OperatorAct.RESUME, "Accept new edits again everywhere")
    drain = _plain(
        OperatorAct.DRAIN, "Finish running edits, keep the queue for the next start, and stop the bot"
    )

    @app_commands.command(name="log", description="Who decided what and when, in all servers")
    @app_commands.describe(about="Only this user, image hash, or version")
    @acknowledged
    async def log(self, interaction: Interaction, about: Word | None = None) -> Response:
        """Show the audit log."""
        return self.asked(interaction, OperatorAct.LOG, about or "")

    block = _about_user(OperatorAct.BLOCK, "Refuse the edits of a user everywhere")
    unblock = _about_user(OperatorAct.UNBLOCK, "Accept the edits of a user again everywhere")
    bar = _about_picture(OperatorAct.BAR, "Neither take nor show a picture and its likes, anywhere")
    unbar = _about_picture(OperatorAct.UNBAR, "Allow a barred picture again")
    remove = _about_picture(
        OperatorAct.REMOVE, "Bar a picture, and erase every version that shows it or its likes"
    )
    notices = _plain(OperatorAct.NOTICES, "Requests from outside to remove a picture, which wait for you")

    @app_commands.command(name="settle", description="Decide on a request to remove a picture")
    @app_commands.describe(
        notice="Its number", outcome="Removed: with all copies of the picture, when it is known"
    )
    @acknowledged
    async def settle(
        self,
        interaction: Interaction,
        notice: app_commands.Range[int, 1],
        outcome: Literal["removed", "kept"],
    ) -> Response:
        """Decide on a notice."""
        who = origin_of(interaction)
        return OperatorActRequested(**who, act=OperatorAct.SETTLE, subject=str(notice), outcome=outcome)

    @app_commands.command(
        name="announce", description="Announce something in every server, in /info and on the page"
    )
    @app_commands.describe(text="What to announce; without it, the announcement ends")
    @acknowledged
    async def announce(
        self, interaction: Interaction, text: app_commands.Range[str, 1, ANNOUNCEMENT_CHARS] | None = None
    ) -> Response:
        """Announce a text."""
        return self.asked(interaction, OperatorAct.ANNOUNCE, text or "")

    @app_commands.command(name="shares", description="Change a limit of shares")
    @app_commands.describe(
        limit="Whose edits, and in which time",
        edits="How many; 0 for no limit; without it, as set in the bot’s environment",
    )
    @acknowledged
    async def shares(
        self,
        interaction: Interaction,
        limit: ShareName,
        edits: app_commands.Range[float, 0, 1_000_000] | None = None,
    ) -> Response:
        """Change a limit."""
        return OperatorActRequested(
            **origin_of(interaction), act=OperatorAct.SHARES, subject=limit, edits=edits
        )

    def asked(
        self,
        interaction: Interaction,
        act: OperatorAct,
        subject: str,
        picture: discord.Attachment | None = None,
    ) -> OperatorActRequested:
        """The event of an interaction, with a user, picture, text or limit."""
        file = RemoteFile(picture.url, picture.size, picture.filename, False) if picture else None
        offer = files_offer(self.handler.reads.downloads, file) if file else None
        return OperatorActRequested(**origin_of(interaction), act=act, subject=subject, picture=offer)
