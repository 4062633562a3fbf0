"""What the wall's benchmark is fed with, the terminals it is seen on, and the two usual ways to paint it."""
