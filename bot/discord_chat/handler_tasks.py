"""The tasks in which discord.py runs handlers of events. It owns none of them, so the bot ends them."""

import asyncio

NAMES = ("discord.py: ", "CommandTree-", "discord-ui-")  # that theirs begin with


async def end_handlers() -> None:
    """Cancel the handlers that still run, and wait for their end.

    After it they ask Discord for nothing more, so the session can be closed. What they had not finished is as
    after a kill: messages are read again at the next start.
    """
    here = asyncio.current_task()
    running = [task for task in asyncio.all_tasks() if task.get_name().startswith(NAMES) and task is not here]
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
