"""Sessions and turns in SQLite."""
