"""The declaration for people. Placed below."""

POLICY = ""


def declaration(raw: bytes) -> str:
    """."""
    return raw.decode()
