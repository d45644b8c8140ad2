"""Health endpoints, metrics and the single-instance lock."""
