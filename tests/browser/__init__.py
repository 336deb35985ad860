"""The voter's pages as people meet them: Debian's Chromium on the real stack."""
