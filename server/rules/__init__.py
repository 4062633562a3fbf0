"""What is allowed and what follows from it. Pure: no I/O, no clock (`now_ms` is an argument), no framework."""
