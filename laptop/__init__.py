"""The agent on a secure laptop: carries a call's media, records it, measures it, and stops it by itself."""
