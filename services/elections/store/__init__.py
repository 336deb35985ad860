"""SQL of `elections`, and nothing else: one module per part of its work."""

from shared.replay import DerivedTable

DERIVED_TABLES = (
    DerivedTable("elections", key=("election_id",)),
    DerivedTable("barriers", key=("partition_number", "log_offset")),
    DerivedTable("log_heads", key=("partition_number",)),
    DerivedTable("closed_partitions", key=("election_id", "partition_number")),
    DerivedTable("statements", key=("election_id", "said")),
    DerivedTable("tallies", key=("election_id",)),
    DerivedTable("tallied_ballots", key=("election_id", "tracker")),
    DerivedTable("set_aside_ballots", key=("partition_number", "log_offset")),
    DerivedTable("refused_records", key=("partition_number", "log_offset")),
    DerivedTable("quarantined_records", key=("service", "topic", "partition_number", "log_offset")),
)
"""What the law topics rebuild; `orders` and `resolutions` are source."""
