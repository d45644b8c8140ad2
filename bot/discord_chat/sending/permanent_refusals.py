"""What Discord refuses for good: trying again is no use, so the user gets the reason."""

import discord

from conversations.messages import Message

# The error codes are Discord's: explicit content, harmful link, blocked by AutoMod, invalid form.
_REASONS = {
    20009: Message("discord_found_explicit"),
    240000: Message("discord_blocked_words"),
    200000: Message("discord_blocked_words"),
    50035: Message("discord_refused"),
}
CLOSED_THREADS = (50083, 160005)  # archived or locked: the answer goes to the user's DMs


def permanent_refusal(error: discord.HTTPException) -> Message | None:
    """Why Discord will never take this message; None if it may take it later, or elsewhere."""
    return _REASONS.get(error.code) if error.status == 400 else None
