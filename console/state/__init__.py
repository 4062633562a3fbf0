"""What is shown, worked out from what the server sent. No I/O, no clock, no Textual."""
