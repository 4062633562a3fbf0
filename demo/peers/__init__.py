"""The demo's callers: WebRTC clients that play prepared files and count and decode what they receive."""
