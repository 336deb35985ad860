"""What `castonce-verify` accepts, and everything that it must not."""
