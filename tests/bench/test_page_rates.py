"""How the rates of pages are told, and that the doors are really open meanwhile."""

import msgspec
import pytest

from services.board.config import BoardSettings
from services.gateway.config import GatewaySettings
from tests.bench import page_rates
from tests.bench.page_rates import LEAST, LIFTED, Case, Measured, Turn
from tests.bench.wrk import Load


def _turns(*rates: float) -> list[Turn]:
    return [Turn(Load(100, rate, 1.0, 2.0), 50.0) for rate in rates]


@pytest.mark.parametrize("settings", [GatewaySettings, BoardSettings])
def test_the_limits_that_are_lifted_are_settings_of_both_services(
    settings: type[GatewaySettings] | type[BoardSettings],
) -> None:
    """A service takes no notice of a variable that it doesn't know, and would go on refusing."""
    kinds = {field.name: field.type for field in msgspec.structs.fields(settings)}
    for variable, value in LIFTED.items():
        name = variable.removeprefix("CASTONCE_").lower()
        assert msgspec.convert(value, kinds[name], strict=False) > 60 * 100_000
    files = {name for name in kinds if name.endswith(("requests_per_minute", "files_per_minute"))}
    # A caller on the same machine has no limit of its own.
    own = {name for name in files if name.startswith("address_")}
    assert {f"CASTONCE_{name.upper()}" for name in files - own} == set(LIFTED)


def test_a_ratio_is_of_turns_that_followed_each_other() -> None:
    """The machine's speed changes within minutes: only neighbours are compared."""
    case = Case(service="gateway", name="booth", path="/x", target=LEAST)
    found = Measured(case, 1234, _turns(100, 40, 900), _turns(200, 100, 1000))
    rate, beside = page_rates.rows([found])
    assert (rate.value, rate.unit) == (100, "answers/s")
    assert beside.value == 0.5
    assert beside.is_met
    assert "plain 200 answers/s" in beside.detail
