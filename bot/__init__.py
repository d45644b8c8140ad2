"""Talks to people: Discord and the local chat page, over one workflow."""
