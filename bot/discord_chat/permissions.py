"""The permissions the bot lacks, under the names that Discord shows to server owners."""

import discord

from bot.discord_chat.ids import role_key
from bot.discord_chat.inbound.reply_context import ReplyContext
from conversations.messages import Message

NEEDED = {
    "view_channel": Message("permission.view_channel"),
    "send_messages": Message("permission.send_messages"),
    "send_messages_in_threads": Message("permission.send_messages_in_threads"),
    "attach_files": Message("permission.attach_files"),
    "read_message_history": Message("permission.read_message_history"),
    "add_reactions": Message("permission.add_reactions"),
    "bypass_slowmode": Message("permission.bypass_slowmode"),
}
FOR_THREADS = {  # where moderators choose a thread for each picture
    "create_public_threads": Message("permission.create_public_threads"),
    "send_messages_in_threads": NEEDED["send_messages_in_threads"],
}
INVITED = NEEDED | FOR_THREADS


def role_keys(user: discord.abc.User) -> tuple[str, ...]:
    """Keys of the roles of a member; none of a user outside a server."""
    return tuple(role_key(role.id) for role in user.roles) if isinstance(user, discord.Member) else ()


def member_since(user: discord.abc.User) -> float | None:
    """When a member joined the server, Unix seconds; None of a user outside of servers."""
    joined = user.joined_at if isinstance(user, discord.Member) else None
    return None if joined is None else joined.timestamp()


def missing_permissions(client: discord.Client, context: ReplyContext, *, files: bool) -> tuple[Message, ...]:
    """The permissions the bot lacks in the channel of `context`."""
    guild = client.get_guild(context.guild) if context.guild else None
    channel = guild.get_channel_or_thread(context.channel) if guild else None
    if guild is None or channel is None:
        return (NEEDED["view_channel"],)
    has = channel.permissions_for(guild.me)
    sending = "send_messages_in_threads" if isinstance(channel, discord.Thread) else "send_messages"
    needed = ["view_channel", sending, "attach_files", "read_message_history"]
    if getattr(channel, "slowmode_delay", 0):
        needed.append("bypass_slowmode")
    lacking = [NEEDED[name] for name in needed if not getattr(has, name)]
    likely = NEEDED["attach_files" if files else sending]  # a role may have changed a moment ago
    return tuple(lacking) or (likely,)


def missing_for_threads(client: discord.Client, context: ReplyContext) -> tuple[Message, ...]:
    """What the bot lacks, as far as it knows, to open threads in that channel and write in them."""
    guild = client.get_guild(context.guild) if context.guild else None
    channel = guild.get_channel(context.channel) if guild else None
    if guild is None or channel is None:
        return ()
    has = channel.permissions_for(guild.me)
    return tuple(label for name, label in FOR_THREADS.items() if not getattr(has, name))
