"""What users read, per language."""
