"""The `sightline` command: one thin program; each part is imported only when it is asked for."""
