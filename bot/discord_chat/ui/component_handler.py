"""What pressing a button, sending a form or choosing from a message's menu does."""

import discord

from bot.chat.events import (
    DECISIONS,
    NEEDS_WORDS,
    ButtonAction,
    CancelAsked,
    DeleteAsked,
    EditAsked,
    Event,
    HistoryAsked,
    Preset,
    SettingsAsked,
    ShowAsked,
    Variation,
    VariationAsked,
)
from bot.chat.moderation_events import ReportAsked
from bot.chat.replies import Card, Decided, History, Note, Say, ShownVersion
from bot.discord_chat.errors import DownloadRefused
from bot.discord_chat.ids import person_key
from bot.discord_chat.interaction_context import Interaction, InteractionHandler, origin_of
from bot.discord_chat.sending.reports import close
from bot.discord_chat.ui.buttons import CHOOSE, EDIT_IMAGE, OFFERED_PRESETS, RELEASE, ButtonId, DiscordButton
from bot.discord_chat.ui.layouts import is_open_card, kept_instruction, more_layout, turn_id_of
from bot.discord_chat.ui.modals import SubmittedForm, correct_form, edit_form, refine_form, report_form
from bot.discord_chat.ui.rendering import Outgoing
from bot.i18n.catalog import speaking, translated
from bot.workflow.button_events import button_event
from conversations.errors import PictureMissing
from conversations.settings import SettingsOverride

CONSENTS = (ButtonAction.ALLOW_ONCE, ButtonAction.ALLOW_ALWAYS, ButtonAction.REFUSE)


class ComponentHandler:
    """Decides what a press means and has the desk answer it."""

    def __init__(self, handler: InteractionHandler) -> None:
        self._desk = handler

    # -- buttons ------------------------------------------------------------------------------------------

    async def pressed(self, interaction: Interaction, button: ButtonId) -> None:
        """A button of some card; some of them first ask for words."""
        with speaking(interaction.locale):
            if button.release != RELEASE or button.act not in {*ButtonAction, *DiscordButton, CHOOSE}:
                sentence = Say.OLD_BUTTON(version=button.turn)
                await interaction.response.send_message(sentence, ephemeral=True)
            elif button.act in NEEDS_WORDS:
                await self._ask_for_words(interaction, button)
            elif await self._desk.acknowledge(interaction):
                await self._desk.run_guarded(interaction, lambda: self._do(interaction, button))

    async def _do(self, interaction: Interaction, button: ButtonId) -> None:
        match button.act:
            case _ if button.act in DECISIONS:
                await self._decide(interaction, button)
            case DiscordButton.MORE:
                await self._show_more(interaction, button.turn)
            case DiscordButton.AS_PNG:
                await self._show_picture(interaction, button.turn)
            case _:
                await self._desk.respond(interaction, event_of(interaction, button))
        if button.act in CONSENTS and interaction.user.id == button.owner and interaction.message:
            await self._desk.own_messages.delete_if_own(interaction.message)

    async def _decide(self, interaction: Interaction, button: ButtonId) -> None:
        """A button under a report: do it, and say on the report that it is done."""
        reply = await self._desk.consult(event_of(interaction, button))
        if reply is not None:
            await self._desk.send_reply(interaction, reply)
        if isinstance(reply, Decided) and interaction.message:
            await close(interaction.message, reply, interaction.user.id)

    async def _ask_for_words(self, interaction: Interaction, button: ButtonId) -> None:
        """Open the form of a button; it must be the first answer, so there is no time for anything else."""
        card = await self._card(interaction, button.turn)
        if isinstance(card, Note):
            await interaction.response.send_message(card.text, ephemeral=True)
        elif button.act == ButtonAction.CORRECT:
            await interaction.response.send_modal(correct_form(button, card))
        elif button.act == ButtonAction.REPORT:
            await interaction.response.send_modal(report_form(button, card.version))
        else:
            longest = self._desk.limits.instruction_chars
            await interaction.response.send_modal(refine_form(button, card, longest))

    async def _card(self, interaction: Interaction, turn: str) -> Card | Note:
        """The version of a turn, or why there is none."""
        reply = await self._desk.consult(ShowAsked(**origin_of(interaction), turn=turn))
        match reply:
            case ShownVersion(card=card):
                return card
            case Note():
                return reply
        return Note(Say.UNEXPECTED())

    async def _show_more(self, interaction: Interaction, turn: str) -> None:
        reply = await self._desk.consult(HistoryAsked(**origin_of(interaction), turn=turn))
        if isinstance(reply, History):
            card = next(card for card in reply.cards if card.turn_id == turn)
            await self._desk.send_outgoing(interaction, Outgoing(view=more_layout(reply, card)))
        else:
            await self._desk.send_reply(
                interaction, reply if isinstance(reply, Note) else Note(Say.UNEXPECTED())
            )

    async def _show_picture(self, interaction: Interaction, turn: str) -> None:
        """The picture of a version as a plain file, nothing beside it."""
        card = await self._card(interaction, turn)
        if isinstance(card, Note):
            await self._desk.send_reply(interaction, card)
            return
        image = await self._desk.renderer.result(card, interaction.filesize_limit)
        if image is None:
            await self._desk.send_reply(interaction, Note(translated(str(PictureMissing(card.after or "")))))
            return
        note = image.file.note or card.version
        await interaction.edit_original_response(content=note, attachments=[image.attachment()])

    # -- forms --------------------------------------------------------------------------------------------

    async def sent(self, interaction: Interaction, form: SubmittedForm) -> None:
        """A form with words."""
        if await self._desk.acknowledge(interaction):
            with speaking(interaction.locale):
                await self._desk.run_guarded(interaction, lambda: self._process(interaction, form))

    async def _process(self, interaction: Interaction, form: SubmittedForm) -> None:
        try:
            event = await self._event_of_form(interaction, form)
        except DownloadRefused as refusal:
            await self._desk.send_reply(interaction, Note(str(refusal)))
            return
        await self._desk.respond(interaction, event)

    async def _event_of_form(self, interaction: Interaction, form: SubmittedForm) -> Event:
        """The event of a form."""
        who, turn = origin_of(interaction), form.button.turn
        if form.button.act == ButtonAction.CORRECT:
            return VariationAsked(**who, variation=Variation.CORRECTED, turn=turn, reading=form.words)
        if form.button.act == ButtonAction.REPORT:
            return ReportAsked(**who, turn=turn, text=form.words)
        image = self._desk.chosen_images.of(int(turn)) if form.button.act == EDIT_IMAGE else None
        if image is not None:
            return EditAsked(
                **who,
                text=form.words,
                picture=await self._desk.downloads.fetch(image.file),
                picture_owner=image.owner,
                message=image.message,
                reply_to=image.message,
                is_hidden=image.file.is_spoiler,
            )
        if form.button.act == EDIT_IMAGE:
            raise DownloadRefused(Say.WHICH_PICTURE())
        picture = await self._desk.downloads.fetch(form.image) if form.image else None
        return EditAsked(
            **who,
            text=form.words,
            picture=picture,
            turn=None if picture else turn,
            preset=form.preset,
            from_original=form.from_original and picture is None,
            is_hidden=form.image is not None and form.image.is_spoiler,
        )

    # -- the menu of a message ----------------------------------------------------------------------------

    async def edit_image(self, interaction: Interaction, message: discord.Message) -> None:
        """Edit the picture of any message."""
        with speaking(interaction.locale):
            if turn := turn_id_of(message):
                await self._ask_for_words(interaction, ButtonId(ButtonAction.REFINE.value, turn))
            elif self._desk.chosen_images.keep(message):
                await interaction.response.send_modal(
                    edit_form(message.id, self._desk.limits.instruction_chars)
                )
            else:
                await interaction.response.send_message(Say.NO_PICTURE_THERE(), ephemeral=True)

    async def refine_from_here(self, interaction: Interaction, message: discord.Message) -> None:
        """Go on from the version a message shows."""
        if turn := await self._turn_of(interaction, message):
            await self._ask_for_words(interaction, ButtonId(ButtonAction.REFINE.value, turn))

    async def details(self, interaction: Interaction, message: discord.Message) -> None:
        """Everything known of the version a message shows."""
        turn = await self._turn_of(interaction, message)
        if turn and await self._desk.acknowledge(interaction):
            await self._desk.run_guarded(interaction, lambda: self._show_details(interaction, turn))

    async def _show_details(self, interaction: Interaction, turn: str) -> None:
        card = await self._card(interaction, turn)
        await self._desk.send_reply(
            interaction, card if isinstance(card, Note) else ShownVersion(card.title, card)
        )

    async def cancel_or_delete(self, interaction: Interaction, message: discord.Message) -> None:
        """Stop what waits or runs; erase what is over."""
        turn = await self._turn_of(interaction, message)
        if not turn or not await self._desk.acknowledge(interaction):
            return
        who = origin_of(interaction)
        event: Event = (
            CancelAsked(**who, turn=turn) if is_open_card(message) else DeleteAsked(**who, turn=turn)
        )
        await self._desk.run_guarded(interaction, lambda: self._desk.respond(interaction, event))

    async def report(self, interaction: Interaction, message: discord.Message) -> None:
        """Tell those who moderate here about a version."""
        if turn := await self._turn_of(interaction, message):
            with speaking(interaction.locale):
                await self._ask_for_words(interaction, ButtonId(ButtonAction.REPORT.value, turn))

    async def _turn_of(self, interaction: Interaction, message: discord.Message) -> str | None:
        """The turn a message shows; None, and that is said, when it shows none."""
        turn = turn_id_of(message)
        if turn is None:
            with speaking(interaction.locale):
                await interaction.response.send_message(Say.NO_VERSION_THERE(), ephemeral=True)
        return turn


def event_of(interaction: Interaction, button: ButtonId) -> Event:
    """What a pressed button asks of the workflow."""
    who = origin_of(interaction)
    match button.act:
        case _ if button.act == CHOOSE:
            return EditAsked(**who, text=kept_instruction(interaction.message), turn=button.turn)
        case DiscordButton.STRENGTHS:
            return SettingsAsked(**who)
        case DiscordButton.KEEP_STRICT:
            return SettingsAsked(**who, override=SettingsOverride(keep="strict"))
        case DiscordButton.KEEP_OFF:
            return SettingsAsked(**who, override=SettingsOverride(keep="off"))
        case DiscordButton.LOCK_SEED:
            return SettingsAsked(**who, lock_seed=True)
        case DiscordButton.RANDOM_SEED:
            return SettingsAsked(**who, forget=("seed",))
        case _ if button.act in OFFERED_PRESETS:
            return SettingsAsked(**who, preset=Preset(button.act))
        case ButtonAction.BLOCK:  # the one button that is about a person
            blocked = person_key(button.owner or 0)
            return button_event(ButtonAction.BLOCK, blocked, **who)
    return button_event(ButtonAction(button.act), button.turn, **who)
