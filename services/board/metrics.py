"""What operators see of the board: how it grows, and what only a person can explain."""

from shared.metrics import counter, gauge, histogram

ENTRIES = counter("castonce_board_entries_total", "Entries in the public files, by type.", "type")
BOARD_BYTES = counter("castonce_board_written_bytes_total", "Bytes added to the public files.")
ON_BOARD_SECONDS = histogram(
    "castonce_board_publish_seconds", "From a commit to the files and the signed checkpoint."
)
REFUSED = counter(
    "castonce_board_refused_records_total", "Records that nobody believes.", "topic", "reason"
)
SURPLUS = gauge(
    "castonce_board_surplus_ballots",
    "Ballots with a good receipt beyond the number that was accepted; must be 0.",
    "election",
)
MISSING = gauge(
    "castonce_board_missing_ballots",
    "Ballots that were counted and aren't on the board, once all are counted; must become 0.",
    "election",
)
NOT_ENDED = gauge(
    "castonce_board_not_ended",
    "1 while all ballots are counted and the board can't end, by what it lacks.",
    "election",
    "reason",
)
OTHER_LIST = gauge(
    "castonce_board_other_list",
    "1 while the credentials that were published aren't the list that was fixed.",
    "election",
)
OVERSTATED = gauge(
    "castonce_board_overstated",
    "1 while more was said of credentials than the packs' account has; must be 0.",
    "election",
)
HALTED = gauge("castonce_board_halted", "1 while a board's files are wrong.", "election")
REFUSED_AT_DOOR = counter(
    "castonce_board_limited_total", "Requests refused for their number.", "reason"
)
