"""What services tell each other: message types, topics and signatures, one module per producer.

Promises that every message has exactly one type name, one topic and one producer. Must never hold
a decision. Trusts nothing: decoding checks length, type, range, encoding and canonical form.
"""
