"""What draws one part of a screen. Decides nothing."""
