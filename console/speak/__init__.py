"""The console line by line, for screen readers and logs: no cursor movement, no colour, typed commands."""
