"""The service `postal`: envelopes in, and what became of each. See README.md."""
