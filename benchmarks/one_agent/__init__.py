"""Several calls in one agent process, and clients that log what they send and receive, for the media benchmark."""
