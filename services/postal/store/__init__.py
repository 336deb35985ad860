"""SQL of `postal`, and nothing else: one module per part of its work."""
