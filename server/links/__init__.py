"""The websocket ends: laptops, consoles, peers; and the fan-out to consoles."""
