"""Turns requests into pictures: MGIE, its serving, training and evaluation. Has never heard of Discord."""
