"""How Castonce is brought up on machines: one machine here, clusters later."""
