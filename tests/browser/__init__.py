"""Real browsers on the pages: Debian's Chromium, with a clip in place of the camera."""
