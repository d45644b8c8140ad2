"""The entries in the menu of a message. discord.py registers five at most; these are five."""

import discord
from discord import app_commands

from bot.chat.events import ButtonAction, CancelAsked, DeleteAsked
from bot.chat.replies import Note, ShownVersion, title
from bot.discord_chat.inbound.inbound_images import offer_in
from bot.discord_chat.interactions import (
    Form,
    HasHandler,
    Interaction,
    Response,
    acknowledged,
    is_moderator,
    opens_form,
    origin_of,
)
from bot.discord_chat.own_messages import wrote
from bot.discord_chat.ui.buttons import ButtonId
from bot.discord_chat.ui.component_handler import ComponentHandler
from bot.discord_chat.ui.component_ids import is_open_card, turn_id_of
from bot.discord_chat.ui.modals import edit_form
from bot.i18n.catalog import translator
from conversations.messages import Message


class MessageMenus(HasHandler):
    """What can be done with a message: each method is one entry of the menu."""

    def __init__(self, components: ComponentHandler) -> None:
        super().__init__(components.handler)
        self._components = components

    @opens_form
    async def edit_image(self, interaction: Interaction, message: discord.Message) -> Form:
        """Edit the image of any message; on a card, refine its version."""
        if _turn_on(interaction, message):
            return await self._form(interaction, message, ButtonAction.REFINE)
        if offer := offer_in(message, self.handler.reads.downloads):
            self._components.chosen_images.keep(message, offer)
            return edit_form(
                message.id, self.handler.workflow.limits.instruction_chars, translator(interaction.locale)
            )
        return Note(Message("no_picture_there"))

    @opens_form
    async def refine_from_here(self, interaction: Interaction, message: discord.Message) -> Form:
        """Refine the version that a message shows."""
        return await self._form(interaction, message, ButtonAction.REFINE)

    @acknowledged
    async def details(self, interaction: Interaction, message: discord.Message) -> Response:
        """Show everything known of the version that a message shows."""
        turn = _turn_on(interaction, message)
        if turn is None:
            return Note(Message("no_version_there"))
        card = await self._components.card(interaction, turn)
        return card if isinstance(card, Note) else ShownVersion(title(card), card)

    @acknowledged
    async def cancel_or_delete(self, interaction: Interaction, message: discord.Message) -> Response:
        """Cancel an edit that is queued or runs; erase one that has ended."""
        turn = _turn_on(interaction, message)
        if turn is None or isinstance(await self._components.card(interaction, turn), Note):
            return await self._delete_leftover(interaction, message)
        event = CancelAsked if is_open_card(message, turn) else DeleteAsked
        return event(**origin_of(interaction), turn=turn)

    async def _delete_leftover(self, interaction: Interaction, message: discord.Message) -> Note:
        """Delete a message of the bot that shows no version any more, for a moderator or who asked for it."""
        replied = message.reference.resolved if message.reference else None
        asker = replied.author.id if isinstance(replied, discord.Message) else None
        is_own = self.handler.own_messages.wrote(message)
        if not is_own or not (is_moderator(interaction) or asker == interaction.user.id):
            return Note(Message("no_version_there"))
        await self.handler.own_messages.delete_if_own(message)
        return Note(Message("message_deleted"))

    @opens_form
    async def report(self, interaction: Interaction, message: discord.Message) -> Form:
        """Report a version to the moderators."""
        return await self._form(interaction, message, ButtonAction.REPORT)

    async def _form(self, interaction: Interaction, message: discord.Message, act: ButtonAction) -> Form:
        """The form of a button, for the version that a message shows."""
        turn = _turn_on(interaction, message)
        if turn is None:
            return Note(Message("no_version_there"))
        return await self._components.form_of(interaction, ButtonId(act.value, turn))


def _turn_on(interaction: Interaction, message: discord.Message) -> str | None:
    """The turn that a message of the bot itself shows: others may copy a card, ids and all."""
    return turn_id_of(message) if wrote(interaction.client, message) else None


def message_menus(components: ComponentHandler) -> list[app_commands.ContextMenu]:
    """One menu entry per thing to do with a message."""
    menus = MessageMenus(components)
    entries = {
        "Edit this image": menus.edit_image,
        "Refine from here": menus.refine_from_here,
        "Edit details": menus.details,
        "Cancel or delete edit": menus.cancel_or_delete,
        "Report edit": menus.report,
    }
    return [app_commands.ContextMenu(name=name, callback=do) for name, do in entries.items()]
