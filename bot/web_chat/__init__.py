"""The local chat: a page over the same workflow as Discord, served by aiohttp."""
