"""Which widgets stand where, and which key means what."""
