"""What is counted, and that it names nobody."""

from pathlib import Path

from bot.discord_chat.gateway_metrics import AckTimes, route_of
from bot.ops.metrics import Metrics
from tests.bot.discord_chat.test_conversation import post_picture
from tests.support.discord_room import room


def test_routes_carry_no_ids_and_no_tokens() -> None:
    snowflake = "1573850452368293894"
    assert route_of("POST", f"/api/v10/channels/{snowflake}/messages") == "POST /channels/:id/messages"
    hook = f"/api/v10/webhooks/{snowflake}/9zIT40ehZzevXjhlxBYV0Vw6ML6gMnhE/messages/@original"
    assert route_of("PATCH", hook) == "PATCH /webhooks/:id/:token/messages/@original"


def test_only_the_first_answer_to_a_message_counts() -> None:
    metrics, now = Metrics(), [0.0]
    times = AckTimes(metrics, lambda: now[0])
    times.arrived(7)
    now[0] = 0.2
    times.answered(7)
    times.answered(7)
    times.answered(None)
    assert metrics.registry.get_sample_value("mgie_ack_seconds_count") == 1
    assert metrics.registry.get_sample_value("mgie_ack_seconds_sum") == 0.2


async def test_messages_requests_and_reconnections_are_counted(tmp_path: Path) -> None:
    async with room(tmp_path) as r:
        await r.result(post_picture(r))
        r.discord.gateway.drop_sockets()
        await r.result(r.discord.say(r.channel, r.anna, "now blue", mention=True))
        value = r.bot.metrics.registry.get_sample_value
        labels = {"route": "POST /channels/:id/messages", "status": "200"}
        assert (value("mgie_discord_http_total", labels) or 0) >= 2
        assert value("mgie_ack_seconds_count") == 2
        assert value("mgie_gateway_reconnects_total") == 1
