"""Training: what the networks are taught, and by which steps."""
