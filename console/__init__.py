"""The officer's wall in a terminal. Holds nothing: all it shows comes from the server."""
