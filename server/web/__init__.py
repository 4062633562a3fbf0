"""The pages that browsers load from the server."""
