"""Training: losses, data, and the training loop."""
