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
from bot.discord_chat.ids import MessagePlace, person_key
from bot.discord_chat.interaction_context import Desk, Interaction, origin_of
from bot.discord_chat.responses import take_away
from bot.discord_chat.sending.reports import close
from bot.discord_chat.ui.buttons import CHOOSE, EDIT_IMAGE, LEANINGS, RELEASE, ButtonId, Local
from bot.discord_chat.ui.layouts import is_open_card, more_layout, turn_on, words_kept
from bot.discord_chat.ui.modals import Filled, correct_form, edit_form, refine_form, report_form
from bot.discord_chat.ui.rendering import Outgoing
from bot.i18n.catalog import speaking, translated
from bot.workflow.button_events import button_event
from conversations.errors import PictureMissing
from conversations.settings import SettingsOverride

CONSENTS = (ButtonAction.ALLOW_ONCE, ButtonAction.ALLOW_ALWAYS, ButtonAction.REFUSE)


class Presses:
    """Decides what a press means and has the desk answer it."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    # -- buttons ------------------------------------------------------------------------------------------

    async def pressed(self, interaction: Interaction, button: ButtonId) -> None:
        """A button of some card; some of them first ask for words."""
        with speaking(interaction.locale):
            if button.release != RELEASE or button.act not in {*ButtonAction, *Local, CHOOSE}:
                sentence = Say.OLD_BUTTON(version=button.turn)
                await interaction.response.send_message(sentence, ephemeral=True)
            elif button.act in NEEDS_WORDS:
                await self._ask_for_words(interaction, button)
            elif await self._desk.acknowledge(interaction):
                await self._desk.guard(interaction, lambda: self._do(interaction, button))

    async def _do(self, interaction: Interaction, button: ButtonId) -> None:
        match button.act:
            case _ if button.act in DECISIONS:
                await self._decide(interaction, button)
            case Local.MORE:
                await self._show_more(interaction, button.turn)
            case Local.AS_PNG:
                await self._show_picture(interaction, button.turn)
            case _:
                await self._desk.ask(interaction, event_of(interaction, button))
        if button.act in CONSENTS and interaction.user.id == button.owner and interaction.message:
            question = MessagePlace(interaction.message.channel.id, interaction.message.id)
            await take_away(interaction.client, [str(question)])

    async def _decide(self, interaction: Interaction, button: ButtonId) -> None:
        """A button under a report: do it, and say on the report that it is done."""
        reply = await self._desk.consult(event_of(interaction, button))
        if reply is not None:
            await self._desk.answer(interaction, reply)
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
            await self._desk.put(interaction, Outgoing(view=more_layout(reply, card)))
        else:
            await self._desk.answer(interaction, reply if isinstance(reply, Note) else Note(Say.UNEXPECTED()))

    async def _show_picture(self, interaction: Interaction, turn: str) -> None:
        """The picture of a version as a plain file, nothing beside it."""
        card = await self._card(interaction, turn)
        if isinstance(card, Note):
            await self._desk.answer(interaction, card)
            return
        shot = await self._desk.drawing.result(card, interaction.filesize_limit)
        if shot is None:
            await self._desk.answer(interaction, Note(translated(str(PictureMissing(card.after or "")))))
            return
        note = shot.file.note or card.version
        await interaction.edit_original_response(content=note, attachments=[shot.attachment()])

    # -- forms --------------------------------------------------------------------------------------------

    async def sent(self, interaction: Interaction, filled: Filled) -> None:
        """A form with words."""
        if await self._desk.acknowledge(interaction):
            with speaking(interaction.locale):
                await self._desk.guard(interaction, lambda: self._take_in(interaction, filled))

    async def _take_in(self, interaction: Interaction, filled: Filled) -> None:
        try:
            event = await self._wished(interaction, filled)
        except DownloadRefused as refusal:
            await self._desk.answer(interaction, Note(str(refusal)))
            return
        await self._desk.ask(interaction, event)

    async def _wished(self, interaction: Interaction, filled: Filled) -> Event:
        """The event of a form."""
        who, turn = origin_of(interaction), filled.button.turn
        if filled.button.act == ButtonAction.CORRECT:
            return VariationAsked(**who, variation=Variation.CORRECTED, turn=turn, reading=filled.words)
        if filled.button.act == ButtonAction.REPORT:
            return ReportAsked(**who, turn=turn, text=filled.words)
        photo = self._desk.photos.of(int(turn)) if filled.button.act == EDIT_IMAGE else None
        if photo is not None:
            return EditAsked(
                **who,
                text=filled.words,
                picture=await self._desk.downloads.fetch(photo.file),
                picture_owner=photo.owner,
                message=photo.message,
                reply_to=photo.message,
            )
        if filled.button.act == EDIT_IMAGE:
            raise DownloadRefused(Say.WHICH_PICTURE())
        picture = await self._desk.downloads.fetch(filled.photo) if filled.photo else None
        return EditAsked(
            **who,
            text=filled.words,
            picture=picture,
            turn=None if picture else turn,
            preset=filled.preset,
            from_original=filled.from_original and picture is None,
        )

    # -- the menu of a message ----------------------------------------------------------------------------

    async def edit_image(self, interaction: Interaction, message: discord.Message) -> None:
        """Edit the picture of any message."""
        with speaking(interaction.locale):
            if turn := turn_on(message):
                await self._ask_for_words(interaction, ButtonId(ButtonAction.REFINE.value, turn))
            elif self._desk.photos.keep(message):
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
            await self._desk.guard(interaction, lambda: self._show_details(interaction, turn))

    async def _show_details(self, interaction: Interaction, turn: str) -> None:
        card = await self._card(interaction, turn)
        await self._desk.answer(
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
        await self._desk.guard(interaction, lambda: self._desk.ask(interaction, event))

    async def report(self, interaction: Interaction, message: discord.Message) -> None:
        """Tell those who moderate here about a version."""
        if turn := await self._turn_of(interaction, message):
            with speaking(interaction.locale):
                await self._ask_for_words(interaction, ButtonId(ButtonAction.REPORT.value, turn))

    async def _turn_of(self, interaction: Interaction, message: discord.Message) -> str | None:
        """The turn a message shows; None, and that is said, when it shows none."""
        turn = turn_on(message)
        if turn is None:
            with speaking(interaction.locale):
                await interaction.response.send_message(Say.NO_VERSION_THERE(), ephemeral=True)
        return turn


def event_of(interaction: Interaction, button: ButtonId) -> Event:
    """What a pressed button asks of the workflow."""
    who = origin_of(interaction)
    match button.act:
        case _ if button.act == CHOOSE:
            return EditAsked(**who, text=words_kept(interaction.message), turn=button.turn)
        case Local.STRENGTHS:
            return SettingsAsked(**who)
        case Local.KEEP_STRICT:
            return SettingsAsked(**who, override=SettingsOverride(keep="strict"))
        case Local.KEEP_OFF:
            return SettingsAsked(**who, override=SettingsOverride(keep="off"))
        case Local.LOCK_SEED:
            return SettingsAsked(**who, lock_seed=True)
        case Local.RANDOM_SEED:
            return SettingsAsked(**who, forget=("seed",))
        case _ if button.act in LEANINGS:
            return SettingsAsked(**who, preset=Preset(button.act))
        case ButtonAction.BLOCK:  # the one button that is about a person
            blocked = person_key(button.owner or 0)
            return button_event(ButtonAction.BLOCK, blocked, **who)
    return button_event(ButtonAction(button.act), button.turn, **who)
