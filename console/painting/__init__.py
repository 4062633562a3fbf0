"""From pictures, levels and words to cells of a terminal."""
