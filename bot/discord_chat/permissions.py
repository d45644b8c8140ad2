"""Which permission is missing, by the name server owners know it by."""

import discord

from bot.discord_chat.inbound.reply_context import ReplyContext

_NEEDED = {
    "view_channel": "View Channel",
    "send_messages": "Send Messages",
    "attach_files": "Attach Files",
    "read_message_history": "Read Message History",
}


def missing_permissions(client: discord.Client, context: ReplyContext, *, files: bool) -> str:
    """The permissions the bot lacks in the channel of `source`, as words: "Attach Files"."""
    guild = client.get_guild(context.guild) if context.guild else None
    channel = guild.get_channel_or_thread(context.channel) if guild else None
    if guild is None or channel is None:
        return _NEEDED["view_channel"]
    has = channel.permissions_for(guild.me)
    lacking = [words for name, words in _NEEDED.items() if not getattr(has, name)]
    likely = "Attach Files" if files else "Send Messages"  # a role may have changed a moment ago
    return ", ".join(lacking) or likely
