"""LLaVA's prompt formats."""
