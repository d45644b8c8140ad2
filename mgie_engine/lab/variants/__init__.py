"""Models to compare: the paper's baselines and settings, trained alike from one recipe."""
