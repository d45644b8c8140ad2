"""The parts of `benchmarks/fidelity.py`: one file per claim, and what they share."""
