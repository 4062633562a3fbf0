"""A call's media: legs (aiortc), forwarding, recording, levels, pictures."""
