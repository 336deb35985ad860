"""All the SQL of `board`: one module per stream, and one for what the public reads."""
