"""Run the loopback Discord by itself: `python -m tests.support.discord_server --port 8800`."""

import argparse
import asyncio
import sys

from tests.support.discord_server import DiscordServer, PublishedApi


async def serve(port: int) -> None:
    """One channel, two people, until interrupted."""
    async with DiscordServer(port, published=PublishedApi.load()) as discord:
        if gap := PublishedApi.gap():
            sys.stdout.write(f"{gap}\n")
        discord.world.add_channel("pictures")
        discord.world.add_person("anna")
        sys.stdout.write(f"Open {discord.url} and start a bot with\n")
        sys.stdout.write(f"  DISCORD_TOKEN={discord.token} DISCORD_API_BASE={discord.api_base} \\\n")
        sys.stdout.write(f"  DISCORD_GATEWAY_URL={discord.gateway_url} DISCORD_CDN_HOSTS={discord.host}\n")
        sys.stdout.flush()
        await asyncio.Event().wait()


def main() -> None:
    """Read the port and serve."""
    parser = argparse.ArgumentParser(prog="python -m tests.support.discord_server", description=__doc__)
    parser.add_argument("--port", type=int, default=8800)
    asyncio.run(serve(parser.parse_args().port))


if __name__ == "__main__":
    main()
