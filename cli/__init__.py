"""The `castonce` command: what officials, trustees, voters and operators type."""
