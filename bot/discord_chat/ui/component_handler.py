"""What pressing a button or submitting a form does."""

from dataclasses import replace
from typing import Any

from bot.chat.button_actions import CONSENTS
from bot.chat.events import (
    DECISIONS,
    NEEDS_WORDS,
    Addressing,
    ButtonAction,
    EditAsked,
    Event,
    HistoryAsked,
    Origin,
    Preset,
    SettingsAsked,
    ShowAsked,
    VariationAsked,
)
from bot.chat.moderation_events import ReportAsked
from bot.chat.replies import Card, Decided, History, Note, Reply, ShownVersion
from bot.chat.sharing_events import ShareEnded
from bot.discord_chat.ids import MessagePlace, user_key
from bot.discord_chat.inbound.inbound_images import ChosenImages, files_offer
from bot.discord_chat.interactions import (
    Form,
    HasHandler,
    Interaction,
    InteractionHandler,
    Response,
    acknowledged,
    lookup_of,
    opens_form,
    origin_of,
)
from bot.discord_chat.sending.reports import close
from bot.discord_chat.ui.buttons import CHOOSE, EDIT_IMAGE, OFFERED_PRESETS, RELEASE, ButtonId, DiscordButton
from bot.discord_chat.ui.component_ids import kept_instruction
from bot.discord_chat.ui.layouts import more_layout
from bot.discord_chat.ui.markdown import discord_translator
from bot.discord_chat.ui.modals import SubmittedForm, correct_form, refine_form, report_form
from bot.discord_chat.ui.rendering import Outgoing
from bot.i18n.catalog import translator
from bot.workflow.button_events import button_event
from conversations.errors import PictureMissing
from conversations.messages import Message
from conversations.settings import SettingsOverride
from conversations.variations import Variation

VERBATIM = Addressing.VERBATIM
KNOWN_ACTS = {*ButtonAction, *DiscordButton, CHOOSE}
_SETTINGS_CHANGES: dict[str, dict[str, Any]] = {  # arguments of SettingsAsked; none shows the settings
    DiscordButton.STRENGTHS: {},
    DiscordButton.KEEP_STRICT: {"override": SettingsOverride(keep="strict")},
    DiscordButton.KEEP_OFF: {"override": SettingsOverride(keep="off")},
    DiscordButton.LOCK_SEED: {"lock_seed": True},
    DiscordButton.RANDOM_SEED: {"forget": ("seed",)},
    **{offered: {"preset": Preset(offered)} for offered in OFFERED_PRESETS},
}


class ComponentHandler(HasHandler):
    """Answers pressed buttons and submitted forms."""

    def __init__(self, handler: InteractionHandler) -> None:
        super().__init__(handler)
        self.chosen_images = ChosenImages()

    # -- buttons ------------------------------------------------------------------------------------------

    async def pressed(self, interaction: Interaction, button: ButtonId) -> None:
        """Answer a pressed button; some buttons first open a form."""
        if button.release == RELEASE and button.act in NEEDS_WORDS:
            await self._open_form(interaction, button)
        else:
            await self._run(interaction, button)

    @opens_form
    async def _open_form(self, interaction: Interaction, button: ButtonId) -> Form:
        return await self.form_of(interaction, button)

    async def form_of(self, interaction: Interaction, button: ButtonId) -> Form:
        """The form that asks for the words of a button; a note when its version is gone."""
        card = await self.card(interaction, button.turn)
        if isinstance(card, Note):
            return card
        translate = translator(interaction.locale)
        if button.act == ButtonAction.CORRECT:
            return correct_form(button, card, translate)
        if button.act == ButtonAction.REPORT:
            return report_form(button, card.version, translate)
        offers_auto = self.handler.workflow.offers_auto
        return refine_form(
            button, card, self.handler.workflow.limits.instruction_chars, translate, offers_auto
        )

    @acknowledged
    async def _run(self, interaction: Interaction, button: ButtonId) -> Response:
        if button.release != RELEASE or button.act not in KNOWN_ACTS:
            return Note(Message("old_button", version=button.turn))
        if button.act in DECISIONS:
            return await self._decide(interaction, button)
        if button.act in CONSENTS:
            return await self._answer_consent(interaction, button)
        if button.act == DiscordButton.MORE:
            return await self._more(interaction, button.turn)
        if button.act == DiscordButton.AS_PNG:
            return await self._image_file(interaction, button.turn)
        event = event_of(interaction, button)
        if isinstance(event, EditAsked) and event.addressing is VERBATIM and event.turn is None:
            return replace(event, replied=self.handler.reads.asked_about(interaction.message))
        return event

    async def _decide(self, interaction: Interaction, button: ButtonId) -> Reply | None:
        """Run the decision of a moderator and write the outcome on the report."""
        reply = await self.handler.workflow.handle(event_of(interaction, button))
        if isinstance(reply, Decided) and (report := interaction.message):
            outcome = discord_translator(interaction.locale)(reply.text)
            await close(report, outcome, interaction.user.id)
            here = str(MessagePlace(report.channel.id, report.id))  # is closed, not deleted
            return replace(reply, messages=tuple(key for key in reply.messages if key != here))
        return reply

    async def _answer_consent(self, interaction: Interaction, button: ButtonId) -> Reply | None:
        """Run the owner's answer; a question that is over by then is deleted, if its owner pressed."""
        reply = await self.handler.workflow.handle(event_of(interaction, button))
        is_over = isinstance(reply, Note) and reply.text.code == "consent_over"
        if is_over and interaction.user.id == button.owner and interaction.message:
            await self.handler.own_messages.delete_if_own(interaction.message)
        return reply

    async def card(self, interaction: Interaction, turn: str) -> Card | Note:
        """The version of a turn, or why there is none."""
        reply = await self.handler.workflow.handle(ShowAsked(**lookup_of(interaction), turn=turn))
        match reply:
            case ShownVersion(card=card):
                return card
            case Note():
                return reply
        return Note(Message("unexpected"))

    async def _more(self, interaction: Interaction, turn: str) -> Outgoing | Note:
        """The layout with everything else that can be done with a version."""
        reply = await self.handler.workflow.handle(HistoryAsked(**lookup_of(interaction), turn=turn))
        if isinstance(reply, History):
            card = next(card for card in reply.cards if card.turn_id == turn)
            return Outgoing(view=more_layout(reply, card, translator(interaction.locale)))
        return reply if isinstance(reply, Note) else Note(Message("unexpected"))

    async def _image_file(self, interaction: Interaction, turn: str) -> Outgoing | Note:
        """The image of a version as a plain file."""
        card = await self.card(interaction, turn)
        if isinstance(card, Note):
            return card
        translate = discord_translator(interaction.locale)
        image = await self.handler.renderer.result(card, interaction.filesize_limit, translate)
        if image is None:
            return Note(PictureMissing(card.after or "").message)
        note = image.file.note
        return Outgoing(translate(note) if note else card.version, images=[image])

    # -- forms --------------------------------------------------------------------------------------------

    @acknowledged
    async def sent(self, interaction: Interaction, form: SubmittedForm) -> Response:
        """A form was submitted."""
        who, turn = origin_of(interaction), form.button.turn
        if form.button.act == ButtonAction.CORRECT:
            return VariationAsked(**who, variation=Variation.CORRECTED, turn=turn, reading=form.words)
        if form.button.act == ButtonAction.REPORT:
            return ReportAsked(**who, turn=turn, text=form.words)
        if form.button.act == EDIT_IMAGE:
            return self._edit_chosen(who, int(turn), form.words)
        return EditAsked(
            **who,
            text=form.words,
            addressing=Addressing.FORM,
            own=files_offer(self.handler.reads.downloads, form.image) if form.image else None,
            turn=turn,
            preset=form.preset,
            from_original=form.from_original and form.image is None,
        )

    def _edit_chosen(self, who: Origin, message: int, words: str) -> EditAsked | Note:
        """The edit of the image that was chosen from the menu of that message."""
        chosen = self.chosen_images.of(message)
        if chosen is None:  # the bot restarted meanwhile, or many others were chosen since
            return Note(Message("which_picture"))
        return EditAsked(
            **who,
            text=words,
            addressing=Addressing.FORM,
            replied=chosen,
            reply_to=chosen.message,
        )


def event_of(interaction: Interaction, button: ButtonId) -> Event:
    """The event that a pressed button stands for."""
    who = origin_of(interaction)
    if button.act in _SETTINGS_CHANGES:
        return SettingsAsked(**who, **_SETTINGS_CHANGES[button.act])
    if button.act == ButtonAction.SAY:
        words = button.says or kept_instruction(interaction.message)
        addressing = Addressing.FORM if button.says else VERBATIM
        return EditAsked(**who, text=words, turn=button.turn or None, addressing=addressing)
    if button.act == CHOOSE:
        words = kept_instruction(interaction.message)
        return EditAsked(**who, text=words, turn=button.turn, addressing=VERBATIM)
    if button.act == ButtonAction.TAKE_BACK and (copy := interaction.message):
        return ShareEnded(**who, turn=button.turn, message=str(MessagePlace(copy.channel.id, copy.id)))
    # The buttons under a report name its turn, but this one is about the owner of that turn.
    is_block = button.act == ButtonAction.BLOCK
    subject = user_key(button.owner or 0) if is_block else button.turn
    return button_event(ButtonAction(button.act), subject, button.says, **who)
