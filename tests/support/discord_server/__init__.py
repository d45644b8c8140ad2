"""A loopback Discord for tests and benchmarks: the parts of the service a bot talks to, on one local port."""

from tests.support.discord_server.published_api import PublishedApi
from tests.support.discord_server.server import DiscordServer

__all__ = ["DiscordServer", "PublishedApi"]
