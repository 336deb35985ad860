"""Finds checks of the verifier that no test would miss: each is deleted or turned round in turn.

Promises to say of every change either which test noticed it, or that none did. Changes only a copy.
"""
