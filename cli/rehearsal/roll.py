"""A made-up roll, as a British party would have one: names, addresses, postcodes, dates.

Nobody on it exists. The same seed gives the same electors.
"""

import csv
import io
from dataclasses import dataclass
from random import Random

from faker import Faker

FACTS = ("date_of_birth", "postcode")


@dataclass(frozen=True)
class Elector:
    """One row of the roll, with what the elector knows by heart."""

    membership_number: str
    first_names: str
    surname: str
    date_of_birth: str
    postcode: str
    address: str
    town: str
    year_joined: int

    def answers(self) -> dict[str, str]:
        """Right answers to the rehearsal's security questions."""
        return {"date_of_birth": self.date_of_birth, "postcode": self.postcode}

    def wrong_answers(self) -> dict[str, str]:
        """Answers of somebody who knows the elector a little."""
        return self.answers() | {"postcode": "ZZ1 1ZZ"}


def make_roll(electors: int, seed: int) -> list[Elector]:
    """`electors` different people."""
    fake = Faker("en_GB")
    fake.seed_instance(seed)
    chance = Random(seed)  # noqa: S311 - made-up people, no secret
    return [_elector(fake, chance, number) for number in range(electors)]


def _elector(fake: Faker, chance: Random, number: int) -> Elector:
    return Elector(
        membership_number=f"M{1_000_000 + number}",
        first_names=fake.first_name(),
        surname=fake.last_name(),
        date_of_birth=fake.date_of_birth(minimum_age=18, maximum_age=95).strftime("%d/%m/%Y"),
        postcode=fake.postcode(),
        address=fake.street_address().replace("\n", ", "),
        town=fake.city(),
        year_joined=chance.randint(1960, 2022),
    )


HEADER = (
    "Membership number",
    "First names",
    "Surname",
    "Date of birth",
    "Postcode",
    "Address line 1",
    "Town",
    "Year joined",
)


def as_csv(roll: list[Elector]) -> bytes:
    """The roll as a spreadsheet saves it: CRLF, UTF-8 with a byte order mark."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(HEADER)
    writer.writerows(
        (
            one.membership_number,
            one.first_names,
            one.surname,
            one.date_of_birth,
            one.postcode,
            one.address,
            one.town,
            one.year_joined,
        )
        for one in roll
    )
    return out.getvalue().encode("utf-8-sig")
