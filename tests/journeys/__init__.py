"""The whole system as its users meet it: one story per promise, and what the stories share."""
