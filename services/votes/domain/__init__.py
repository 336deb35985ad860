"""The fold of votes: pure, values in and decisions out; randomness, clocks and I/O don't occur."""
