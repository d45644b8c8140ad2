"""Where the versions of a session are shown: in its channel, or in a thread of its own. Pure."""

from dataclasses import replace

from conversations.request_source import RequestSource
from conversations.session import EditSession


def answered_in(session: EditSession, source: RequestSource, *, with_threads: bool) -> RequestSource:
    """Where the result of a request goes: to the thread of the session, if it has one.

    with_threads: each new picture gets a thread, which its first result opens.
    """
    if source.is_private or source.channel != session.channel:
        return source
    if session.thread is not None:
        return replace(source, channel=session.thread, parent_channel=session.channel, message=None)
    is_first = all(turn.is_upload or turn.is_lost for turn in session.turns.values())
    return replace(source, opens_thread=with_threads and is_first and source.parent_channel is None)
