"""Two versions side by side, and where they differ."""

from bot.chat.cards import card_of
from bot.chat.events import CompareAsked
from bot.chat.replies import Comparison, Note, Reply
from bot.workflow.targets import Context, named_version
from conversations.images.diff_image import change_map
from conversations.images.picture_views import PictureViews
from conversations.messages import Message
from conversations.session import EditSession
from conversations.store.session_store import SessionStore
from conversations.turn import Turn


async def compare(store: SessionStore, pictures: PictureViews, context: Context[CompareAsked]) -> Reply:
    """Both versions and the map of their differences; NoSuchVersion when one does not exist."""
    target = context.target
    if target is None:
        return Note(Message("no_session"))
    session, after = target.session, target.turn
    before = await _other(store, context.event, session, after)
    if before is None:
        return Note(Message("nothing_to_compare", version=after.label))
    keys = []
    for turn in (before, after):
        if turn.image is None:
            return Note(Message("not_finished", version=turn.label))
        keys.append(turn.image)
    found = await pictures.draw_once(change_map, keys)
    text = Message("compared", before=before.label, after=after.label, share=round(100 * found.changed))
    return Comparison(text, card_of(before, session), card_of(after, session), found.webp)


async def _other(store: SessionStore, asked: CompareAsked, session: EditSession, after: Turn) -> Turn | None:
    """The version to compare with: another that is named, or the one it was made from."""
    named = asked.other and await named_version(store, asked, asked.other, session)
    return named.turn if named and named.turn.id != after.id else session.parent_of(after)
