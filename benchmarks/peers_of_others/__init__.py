"""Other ways to do what Sightline does, for comparison, on the same machine and with the same clients."""
