"""The loopback server counts requests as Discord does, and says so in its headers."""

from tests.support.discord_server.rate_limits import DELETE, EDIT, SEND, RateLimits, Verdict, bucket_of

MESSAGES = "/channels/{channel_id}/messages"
MESSAGE = MESSAGES + "/{message_id}"


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def post(limits: RateLimits, channel: str = "1") -> Verdict:
    return limits.judge("POST", MESSAGES, {"channel_id": channel})


def test_the_sixth_message_in_five_seconds_is_refused() -> None:
    clock = Clock()
    limits = RateLimits(clock=clock)
    left = [post(limits).headers["X-RateLimit-Remaining"] for _ in range(5)]
    assert left == ["4", "3", "2", "1", "0"]
    clock.now += 2.0
    refused = post(limits)
    assert refused.retry_after_s == 3.0
    assert refused.headers["Retry-After"] == "3.000"
    assert refused.headers["Via"]
    assert post(limits, channel="2").retry_after_s is None
    clock.now += 3.0
    assert post(limits).retry_after_s is None
    assert limits.refused == 1


def test_posting_editing_and_deleting_count_apart() -> None:
    assert bucket_of("POST", MESSAGES) is SEND
    assert bucket_of("PATCH", MESSAGE) is EDIT
    assert bucket_of("DELETE", MESSAGE) is DELETE
    assert bucket_of("GET", MESSAGES) is None


def test_everything_but_answers_to_interactions_shares_the_global_limit() -> None:
    limits = RateLimits(clock=Clock())
    for _ in range(50):
        assert limits.judge("GET", "/users/@me", {}).retry_after_s is None
    assert limits.judge("GET", "/users/@me", {}).is_global
    answer = limits.judge("POST", "/webhooks/{webhook_id}/{webhook_token}", {"webhook_token": "t"})
    assert answer.retry_after_s is None
