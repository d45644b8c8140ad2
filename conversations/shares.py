"""What an edit costs, and the limits that it must respect. Pure.

Cost is counted in edits of the model's own settings: an edit with twice the steps counts two, a grid of nine
counts nine. The unit of the work is one denoising step of one branch of guidance for one picture.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from conversations.settings import EditSettings, Grid, GridCell
from conversations.store.share_ledger import ShareLimit

HOUR_S, DAY_S = 3600.0, 24 * 3600.0
SHARE_NAMES = ("user_hour", "user_day", "server_hour", "server_day", "all_hour", "all_day")


class PaintSettings(Protocol):
    """What an edit's cost follows from; a model's `Defaults` and `EditSettings` are such."""

    @property
    def steps(self) -> int: ...

    @property
    def image_cfg(self) -> float: ...


@dataclass(frozen=True, slots=True)
class ShareRules:
    """The operator's limits per hour and per day, in edits; None: no limit.

    roles    by key of a role: the limit per day of a user who has it, if that is more than `user_day`
    """

    user_hour: float | None = None
    user_day: float | None = None
    server_hour: float | None = None
    server_day: float | None = None
    all_hour: float | None = None
    all_day: float | None = None
    roles: Mapping[str, float] = field(default_factory=dict)

    def changed(self, changes: Iterable[tuple[str, float | None]]) -> "ShareRules":
        """The rules with some limits replaced, each named as in SHARE_NAMES."""
        found: dict[str, Any] = dict(changes)
        return replace(self, **found)

    def of_user(self, roles: Iterable[str]) -> float | None:
        """The limit per day of a user with these roles; the highest counts."""
        if self.user_day is None:
            return None
        return max(self.user_day, *(self.roles.get(role, 0.0) for role in roles), 0.0)


NO_SHARES = ShareRules()


def share_limits(
    rules: ShareRules, member_day: float | None, user: str, server: str | None, roles: Iterable[str]
) -> tuple[ShareLimit, ...]:
    """Every limit that holds for an edit. member_day: of one user in that server, set by its moderators."""
    found: list[tuple[str, float, float | None, str | None, str | None]] = [
        ("user", HOUR_S, rules.user_hour, user, None),
        ("user", DAY_S, rules.of_user(roles), user, None),
        ("all", HOUR_S, rules.all_hour, None, None),
        ("all", DAY_S, rules.all_day, None, None),
    ]
    if server is not None:
        found += [
            ("member", DAY_S, member_day, user, server),
            ("server", HOUR_S, rules.server_hour, None, server),
            ("server", DAY_S, rules.server_day, None, server),
        ]
    return tuple(
        ShareLimit(scope, window_s, most, whose, where)
        for scope, window_s, most, whose, where in found
        if most is not None
    )


def edit_work(settings: EditSettings | None) -> int:
    """Steps x branches of guidance for one picture; 1 where the settings are not known."""
    return _work(settings.steps, settings.image_cfg) if settings else 1


def edit_cost(settings: EditSettings, usual: PaintSettings, grid: Grid | None, *, is_auto: bool) -> float:
    """The cost of an edit, or of a grid. `usual`: the model's own; is_auto: scales are chosen later."""
    usual_scale = 0.0 if is_auto else settings.image_cfg  # which may need every branch
    cells = (GridCell(),) if grid is None else grid.cells
    scales = [usual_scale if cell.image_cfg is None else cell.image_cfg for cell in cells]
    return sum(_work(settings.steps, scale) for scale in scales) / _work(usual.steps, usual.image_cfg)


def _work(steps: int, image_cfg: float) -> int:
    return steps * (2 if image_cfg == 1 else 3)  # the unconditional branch has the weight 1 - image CFG
