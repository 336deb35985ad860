"""Faces the voters: turns requests into messages and outcomes into answers; decides nothing."""
