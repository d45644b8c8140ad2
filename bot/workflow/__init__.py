"""Handles events of any chat and runs turns; knows neither Discord nor the page."""
