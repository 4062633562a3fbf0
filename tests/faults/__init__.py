"""Faults and attacks on real parts, bounded in time; each runs in `make test`."""
