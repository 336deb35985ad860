"""What belongs on the board, in which order, and what each entry looks like: values only."""
