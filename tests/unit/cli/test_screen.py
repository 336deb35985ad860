"""What a person sees when a command can't do its work."""

import pytest
import typer
from typer.testing import CliRunner

from cli.screen import CliError, PoliteGroup, make_app, progress_bar, show_facts
from deploy.local.errors import DidNotStart
from shared.kafka.errors import TopicsWrong

EXPECTED = (
    CliError("No election is set up.", "Run castonce election create."),
    DidNotStart("Kafka did not start.", "Run castonce doctor."),
    TopicsWrong("castonce.ballots.v1 has 6 partitions, not 1."),
)


@pytest.mark.parametrize("error", EXPECTED, ids=lambda error: type(error).__name__)
def test_an_expected_failure_ends_in_words(error: Exception) -> None:
    """Whatever kind of our errors it is: its sentence, exit code 1, and no traceback."""
    app = make_app("For this test.")

    @app.command()
    def fail() -> None:
        raise error

    done = CliRunner().invoke(app, ["fail"])
    assert done.exit_code == 1
    assert str(error.args[0]).split()[0] in done.stderr
    assert "Traceback" not in done.stderr


def test_a_fault_of_ours_is_not_hidden() -> None:
    """An error that nobody expected keeps its traceback, so that it gets reported."""
    app = typer.Typer(cls=PoliteGroup)
    app.callback()(lambda: None)

    @app.command()
    def fail() -> None:
        raise ZeroDivisionError

    assert isinstance(CliRunner().invoke(app, ["fail"]).exception, ZeroDivisionError)


def test_a_file_gets_no_progress_bar(capsys) -> None:
    """Bars are for people who look: a log keeps no line that stopped before the end."""
    with progress_bar("Granting", 8) as bar:
        bar.advance()
        bar.show("Granting", 7, 8)
    assert capsys.readouterr().err == ""


def test_paths_are_not_cut_in_a_narrow_window(capsys: pytest.CaptureFixture[str]) -> None:
    """The tokens' files are copied from the screen, also from a log of 80 columns."""
    path = "/" + "long/" * 40 + "officer.token"
    show_facts([("Login", path), ("Election", "x")])
    assert f"Login     {path}\nElection  x\n" in capsys.readouterr().out
