"""Whether old pictures may be deleted now, or the machine's clock may be wrong. Pure.

A clock that is a month ahead makes every picture look old. So a tidy deletes nothing for a day after the
clock jumped, and a tidy that would delete most pictures waits for a day in which the clock ran evenly. The
evidence is stored between tidies, so that a bot that restarts every day still gets there.
"""

from conversations.store.bot_tables import ClockEvidence

JUMP_S = 3600.0
SETTLE_S = 24 * 3600.0
FEW = 10  # so many pictures or fewer are not "most"


def judge_tidy(
    last: ClockEvidence | None, now: float, uptime_s: float, boot: str, old: int, stored: int
) -> tuple[ClockEvidence, str | None]:
    """The evidence after this tidy, and why `old` of `stored` pictures must stay for now, or None.

    last      what the tidy before knew; None for the first one
    now       Unix seconds, by the clock that can be set
    uptime_s  seconds by a clock that cannot be set; comparable as long as `boot` stays the same
    """
    passed_s, jump_s = (0.0, 0.0) if last is None else _since(last, now, uptime_s, boot)
    is_jump = abs(jump_s) > JUMP_S
    is_most = old > FEW and 2 * old > stored
    settled_s = most_s = None
    if is_jump:
        settled_s = 0.0
    elif last is not None and last.settled_s is not None:
        settled_s, jump_s = last.settled_s + passed_s, last.jump_s
    if is_most:
        was_most = last is not None and last.most_s is not None and not is_jump
        most_s = last.most_s + passed_s if was_most and last and last.most_s is not None else 0.0
    evidence = ClockEvidence(now, uptime_s, boot, jump_s, settled_s, most_s)
    return evidence, _objection(evidence) if old else None


def _since(last: ClockEvidence, now: float, uptime_s: float, boot: str) -> tuple[float, float]:
    """Seconds that passed for certain since the last tidy, and by how many the clock jumped meanwhile."""
    if boot == last.boot and uptime_s >= last.uptime_s:
        passed_s = uptime_s - last.uptime_s
        return passed_s, (now - last.now) - passed_s
    return 0.0, min(0.0, now - last.now)  # the machine was off for an unknown time


def _objection(evidence: ClockEvidence) -> str | None:
    if evidence.settled_s is not None and evidence.settled_s < SETTLE_S:
        return f"the clock jumped by {evidence.jump_s:+.0f} s"
    if evidence.most_s is not None and evidence.most_s < SETTLE_S:
        return "that is most of them, and the clock may be wrong"
    return None
