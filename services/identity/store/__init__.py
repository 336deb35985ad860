"""SQL of `identity`, and nothing else: one module per part of its work."""

from shared.replay import DerivedTable

DERIVED_TABLES = (
    DerivedTable("elections", key=("election_id",)),
    DerivedTable("withdrawn_rights", key=("right_id",)),
    DerivedTable("refused_withdrawals", key=("withdrawal_id",)),
    DerivedTable("case_evidence", key=("event_id",)),
    DerivedTable("closed_partitions", key=("election_id", "partition")),
)
"""Rebuilt from the law topics; every other table here is source and is backed up."""
