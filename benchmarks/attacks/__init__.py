"""The parts of `benchmarks/attackers.py`: a scene on Discord, one on the local page, and what they share."""
