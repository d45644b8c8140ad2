"""Edits on many machines: replicas in a Ray cluster, and the bot's side of them."""
