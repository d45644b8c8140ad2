"""Runs many people's edits on one device: a fair line, an engine of slots, a process around it."""
