"""What users are told about their share."""

from bot.chat.replies import duration
from conversations.messages import Message, joined
from conversations.shares import HOUR_S
from conversations.store.share_ledger import ShareLimit, ShareUse, ShareUsedUp


def refused_share(used_up: ShareUsedUp) -> Message:
    """What a user is told whose edit a limit has no room for. A cost of 0: of any edit."""
    use, cost = used_up.use, used_up.cost
    limit = use.limit
    most, window, wait = _shown(limit.most), _window(limit), duration(use.more_in_s or 0.0)
    if cost > limit.most:
        return Message("share_too_large", cost=_shown(cost), most=most, window=window)
    whose = Message(f"share.{limit.scope}")
    if use.left == 0:
        return Message("share_used_up", whose=whose, most=most, window=window, wait=wait)
    left = _shown(use.left)
    return Message(
        "share_too_little", whose=whose, most=most, window=window, wait=wait, left=left, cost=_shown(cost)
    )


def share_line(use: ShareUse) -> Message:
    """How much of a limit is left, and when more comes."""
    limit = use.limit
    left, most = _shown(use.left), _shown(limit.most)
    line = Message(
        "share_left", whose=Message(f"share.{limit.scope}"), left=left, most=most, window=_window(limit)
    )
    if use.more_in_s is None:
        return line
    return joined(" ", line, Message("share_more", wait=duration(use.more_in_s)))


def _window(limit: ShareLimit) -> Message:
    return Message("share_window.hour") if limit.window_s == HOUR_S else Message("share_window.day")


def _shown(edits: float) -> float:
    return int(edits) if edits == int(edits) else round(edits, 1)
