"""SQL of `codes`, and nothing else: one module per part of its work."""
