"""One function per message: what is told to the board, and what the board reads back."""
