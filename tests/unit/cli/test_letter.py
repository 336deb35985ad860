"""The lines of the letters: what anybody checks the election with."""

from pathlib import Path

from cli import letter

FINGERPRINT = "A" * 43


def test_a_home_with_a_board_gives_address_and_key(tmp_path: Path) -> None:
    """An officer copies three lines for the printer, and needs to look nowhere else."""
    (tmp_path / "trust").mkdir()
    (tmp_path / "trust" / "board.checkpoint.pub").write_text("ab" * 32 + "\n")
    lines = dict(letter.of_home(tmp_path, FINGERPRINT).lines())
    assert lines["Fingerprint"] == FINGERPRINT
    assert lines["Board key"] == "ab" * 32
    assert str(lines["Board"]).startswith("http://127.0.0.1:")


def test_without_a_board_here_only_the_fingerprint_is_told(tmp_path: Path) -> None:
    """No key is made up where the system runs elsewhere."""
    assert letter.of_home(tmp_path, FINGERPRINT).lines() == [("Fingerprint", FINGERPRINT)]
