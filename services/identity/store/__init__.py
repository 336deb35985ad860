"""SQL of `identity`, and nothing else: one module per part of its work."""
