"""Users who go on asking although they are refused: after a few answers, the bot stops answering. Pure."""

from dataclasses import dataclass

from bot.policy.checks import recent

STRIKES = 5
WINDOW_S = 60.0  # strikes older than this are forgotten
STRIKING = ("rate", "blocked", "paused", "closed")  # labels of the rules that give strikes


@dataclass(frozen=True, slots=True)
class Strikes:
    """When one user was refused lately: seconds by a clock that cannot be set, oldest first."""

    times: tuple[float, ...] = ()

    def after(self, now: float) -> "Strikes":
        """The same with one more at `now`; forgets the old ones."""
        return Strikes((*recent(self.times, now, WINDOW_S), now))

    def is_over(self, now: float) -> bool:
        """Whether all of them are forgotten."""
        return not recent(self.times, now, WINDOW_S)

    @property
    def is_last(self) -> bool:
        """Whether this is the last one that is answered."""
        return len(self.times) == STRIKES

    @property
    def is_silenced(self) -> bool:
        """Whether it is not answered any more."""
        return len(self.times) > STRIKES
