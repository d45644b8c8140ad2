"""What commands, buttons and forms share: from an interaction to an event, and the desk that answers it."""

from collections.abc import Awaitable, Callable
from typing import Protocol

import discord

from bot.chat.events import Event, Origin
from bot.chat.replies import Reply
from bot.discord_chat.ids import channel_key, interaction_event, person_key
from bot.discord_chat.inbound.downloads import Downloads
from bot.discord_chat.inbound.inbound_images import ChosenImages
from bot.discord_chat.own_messages import OwnMessages
from bot.discord_chat.responses import Interaction as Interaction
from bot.discord_chat.responses import reply_context_of_interaction
from bot.discord_chat.ui.rendering import Outgoing, Renderer
from bot.i18n.catalog import known_language
from bot.policy.limits import Limits


class InteractionHandler(Protocol):
    """Where commands bring what people want; the client is one."""

    downloads: Downloads
    renderer: Renderer
    chosen_images: ChosenImages
    own_messages: OwnMessages

    @property
    def limits(self) -> Limits:
        """The numbers people are held to."""
        ...

    async def acknowledge(self, interaction: Interaction) -> bool:
        """Tell Discord that an answer will come; False when nothing may be done in the person's name."""
        ...

    async def consult(self, event: Event) -> Reply | None:
        """What the workflow says to the event; nobody is answered by it."""
        ...

    async def respond(self, interaction: Interaction, event: Event) -> None:
        """Answer an acknowledged interaction with what the workflow says to the event."""
        ...

    async def send_reply(self, interaction: Interaction, reply: Reply) -> None:
        """Answer an acknowledged interaction with this."""
        ...

    async def send_outgoing(self, interaction: Interaction, outgoing: Outgoing) -> None:
        """Answer an acknowledged interaction with something drawn."""
        ...

    async def run_guarded(self, interaction: Interaction, work: Callable[[], Awaitable[object]]) -> None:
        """Do the work of an acknowledged interaction, with a sentence instead of silence when it breaks."""
        ...


def origin_of(interaction: Interaction) -> Origin:
    """The part of an event that every interaction has: who, where, and which gesture."""
    return Origin(
        person=person_key(interaction.user.id),
        channel=channel_key(interaction.channel_id or 0),
        event_id=interaction_event(interaction.id),
        source=reply_context_of_interaction(interaction, known_language(interaction.locale)).as_request(),
        is_moderator=moderates(interaction),
    )


def moderates(interaction: Interaction) -> bool:
    """Whether the person may decide for others here: those who manage messages; in a DM, everybody."""
    if interaction.guild_id is None:
        return True
    return isinstance(interaction.user, discord.Member) and interaction.permissions.manage_messages
