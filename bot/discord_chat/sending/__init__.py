"""Messages the bot posts and edits on Discord."""
