"""/help, /info, /queue, /gallery and /cancel."""

from discord.ext import commands

from bot.chat.events import CancelAsked, HelpAsked, InfoAsked, QueueAsked
from bot.chat.session_events import GalleryAsked
from bot.discord_chat.commands.plain_command import asks, plain_command
from bot.discord_chat.interactions import HasHandler


class AboutCog(HasHandler, commands.Cog):
    """Help, model and limits, and the user's queued edits."""

    help = plain_command("help", "How to edit pictures by talking", asks(HelpAsked))
    info = plain_command("info", "The model, its licence, and the limits", asks(InfoAsked))
    queue = plain_command("queue", "Your queued and running edits", asks(QueueAsked))
    gallery = plain_command("gallery", "Your newest results, shown to you alone", asks(GalleryAsked))
    cancel = plain_command("cancel", "Cancel your newest edit here", asks(CancelAsked))
