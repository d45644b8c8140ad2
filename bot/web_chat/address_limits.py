"""What one address may ask for, whatever cookies it sends. It may be that of a whole office."""

import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.web_chat.request_limits import TooManyAtOnce

FORMS, FORMS_S = 120, 60.0  # forms from one address in so many seconds
WAITING_PER_ADDRESS = 40  # edits not yet started; the queue holds 100 unless the operator says otherwise
REMEMBERED_S, REMEMBERED = 3600.0, 10_000  # addresses


@dataclass(slots=True)
class _Address:
    forms: deque[float] = field(default_factory=deque)  # when, oldest first
    users: dict[str, float] = field(default_factory=dict)  # who may have edits waiting; their last form


class AddressLimits:
    """Counts the forms and the waiting edits of each address."""

    def __init__(self, waiting: Callable[[str], int], uptime: Callable[[], float] = time.monotonic) -> None:
        """`waiting`: how many edits of a user wait. `uptime`: a clock in seconds that cannot be set."""
        self._waiting = waiting
        self._uptime = uptime
        self._known = OrderedDict[str, _Address]()  # the one that sent a form last is last

    def count_form(self, user: str | None, address: str | None) -> None:
        """A user sends a form; TooManyAtOnce if that is one too many from there.

        `address`: None for one that says nothing, such as that of this machine.
        """
        if address is None:
            return
        now = self._uptime()
        known = self._known.setdefault(address, _Address())
        while known.forms and known.forms[0] <= now - FORMS_S:
            known.forms.popleft()
        lately = now - FORMS_S
        known.users = {who: at for who, at in known.users.items() if at > lately or self._waiting(who)}
        if len(known.forms) >= FORMS or sum(map(self._waiting, known.users)) >= WAITING_PER_ADDRESS:
            raise TooManyAtOnce
        known.forms.append(now)
        if user is not None:
            known.users[user] = now
        self._known.move_to_end(address)
        self._forget(now)

    def _forget(self, now: float) -> None:
        while self._known:
            oldest = next(iter(self._known.values()))
            if len(self._known) <= REMEMBERED and oldest.forms and oldest.forms[-1] > now - REMEMBERED_S:
                return
            self._known.popitem(last=False)
