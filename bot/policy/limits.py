"""How often users may ask, and how much: the numbers behind `bot.policy.checks`."""

from collections.abc import Callable
from dataclasses import dataclass, field

from bot.policy.picture_safety import PictureSafety
from bot.policy.word_rules import WordRules, built_in_rules
from conversations.messages import Message
from conversations.shares import NO_SHARES, ShareRules

MOST_RESULTS = 4  # of one request, to choose from
LONGEST_INSTRUCTION = 2000  # characters; the most that an operator can allow


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits that an operator sets."""

    waiting_per_person: int = 3  # edits not yet started
    waiting: int = 100  # of all users
    instruction_chars: int = 400
    requests: int = 10  # per user in any window of `window_s` seconds
    window_s: float = 12.0
    fitting_chars: Callable[[str], int] = len  # how many of an instruction the model has room for
    abilities: Message | None = None  # what the model can do, said with every upload and in the help
    languages: tuple[str, ...] = ()  # in which the model reads instructions; none: any
    shares: ShareRules = NO_SHARES  # how much may be used per hour and day
    least_account_s: float = 0.0  # how old an account must be, where the chat knows that
    least_member_s: float = 0.0  # how long a user must have been in the server, where the chat knows that
    head_ttl_s: float = 1800.0  # how long "it" still means my last picture here
    words: WordRules = field(default_factory=built_in_rules)  # by which requests are refused
    safety: PictureSafety | None = None  # whether pictures are looked at, and what then
