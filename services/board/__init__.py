"""The public bulletin board: sequences what belongs on it, reads it back, and shows it."""
