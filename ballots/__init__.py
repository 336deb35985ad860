"""The ballot protocol: Belenios version 1 over Ed25519, pure and without I/O.

Promises that whatever arrives is checked to be in range, canonical and in the prime-order
group before it is trusted. Must never read a file, a clock, a socket or a source of randomness:
randomness is an argument everywhere. Trusts libsodium for the group and hashlib for hashing.
"""
