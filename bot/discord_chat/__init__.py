"""Discord: events in, cards out. The only place that imports discord."""
