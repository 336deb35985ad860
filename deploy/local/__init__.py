"""The whole system on one machine that has Python and nothing else.

Kafka and PostgreSQL come from package registries, everything they write lies in one folder (the
`Home`), and every process listens on 127.0.0.1 only.
"""
