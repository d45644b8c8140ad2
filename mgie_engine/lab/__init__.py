"""Makes mgie-mini and the figures of the documents; serving imports nothing of it."""
