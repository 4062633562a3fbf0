"""The demo: server, laptops, callers and console on one machine, with real media. Nothing in it is pretended."""
