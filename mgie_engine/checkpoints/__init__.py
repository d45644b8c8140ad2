"""File formats of weights: our own and MGIE-7B as released."""
