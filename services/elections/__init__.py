"""The election itself: its definition, its calendar, its barriers, and whether it is reconciled."""
