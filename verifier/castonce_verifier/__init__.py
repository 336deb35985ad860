"""Recounts the public archive of an election from the file alone.

Promises that an archive is called right only if every check held. Shares no code with the software
that runs elections: it is a second reading of the same specification (Belenios 3.3, version 1 of
the messages, group Ed25519). Trusts libsodium's group arithmetic, SHA-256 and Python's JSON parser.
"""
