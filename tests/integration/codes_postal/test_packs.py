"""codes over real Kafka and PostgreSQL: registration, grants, replacements, the balance."""

import asyncio
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import pytest

from ballots import codes as code_forms
from ballots import credentials
from cli.packs import export
from cli.packs_print import join
from cli.packs_sealed import SealedCodes, SealedHeader
from cli.screen import CliError
from deploy.local.stack import Stack
from services.codes.domain.registration import Header, lines_of, read
from services.codes.domain.replacement import OTHER
from services.codes.store import registrations
from services.codes.store.packs import Replacement, insert_replacement
from shared.contracts.codes import PackAssigned, PackReplaced, RightGranted
from shared.contracts.elections import CredentialListFixed
from shared.contracts.topics import partition_of_right
from shared.contracts.votes import (
    EnvelopeAdmitted,
    PackReplacementAccepted,
    PackReplacementRefused,
    RightUsedOnline,
    RightWithdrawalAccepted,
)
from shared.keys import Signer
from shared.testing.promises import promise
from tests.integration.codes_postal.conftest import (
    Election,
    Neighbours,
    Officials,
    eventually,
    prepare,
    register,
    send,
)


async def balance_of(officials: Officials, election: Election) -> dict[str, Any]:
    """The balance of packs."""
    path = f"/elections/{election.election_id}/packs/balance"
    return dict(await asyncio.to_thread(officials.codes.get, path))


async def until_states(officials: Officials, election: Election, **states: int) -> dict[str, Any]:
    """The balance, once these states are so many."""
    path = f"/elections/{election.election_id}/packs/balance"
    found = await eventually(
        lambda: officials.codes.get(path),
        lambda said: all(said["states"][name] == count for name, count in states.items()),
    )
    return dict(found)


async def test_each_right_is_granted_a_listed_credential(
    neighbours: Neighbours, election: Election
) -> None:
    """Every elector's right is granted one credential, with the path that puts it into the list
    that the officer fixed, on the right's own partition; and postal learns the serial."""
    granted = neighbours.all_of(RightGranted, election_id=election.election_id)
    assert {one.right_id for one in granted} == set(election.rights)
    for one in granted:
        credentials.verify_inclusion(
            election.files.root, one.index, election.files.size, one.credential, one.path
        )
        code = election.codes[one.serial]
        assert credentials.derive(code, election.election_id).public == one.credential
    assigned = neighbours.all_of(PackAssigned, election_id=election.election_id)
    assert {one.serial: one.right_id for one in assigned} == {
        one.serial: one.right_id for one in granted
    }
    for record in neighbours.heard:
        if isinstance(record.message, RightGranted):
            assert record.partition == partition_of_right(record.message.right_id)


@promise("P1")
async def test_the_same_registration_again_changes_nothing(
    neighbours: Neighbours, officials: Officials, election: Election
) -> None:
    """Importing the same file again draws nothing anew; another file is refused."""
    before = neighbours.all_of(RightGranted, election_id=election.election_id)
    report = await asyncio.to_thread(send, officials.codes, election)
    assert not report["is_new"]
    assert (report["assigned"], report["spares"]) == (12, 3)
    assert neighbours.all_of(RightGranted, election_id=election.election_id) == before
    taken = read(election.content, election.election_id, election.authority.public_hex)
    resorted = [msgspec.structs.replace(pack, spare=not pack.spare) for pack in taken.packs]
    header = msgspec.structs.replace(taken.header, count=3, spares=12)
    other = b"".join(lines_of(header, resorted, election.authority))
    with pytest.raises(CliError, match="Another registration"):
        await asyncio.to_thread(send, officials.codes, election, other)


async def test_a_registration_needs_the_officers_list(
    neighbours: Neighbours, officials: Officials, tmp_path: Path
) -> None:
    """Before root and size are fixed, or with another list than that, nothing is drawn."""
    made = await prepare(neighbours, tmp_path, 3, 1)
    refusal = await eventually(
        lambda: send(officials.codes, made), lambda said: "fix the credential list" in str(said)
    )
    assert isinstance(refusal, CliError)
    await neighbours.to_all(
        CredentialListFixed(election_id=made.election_id, root="ab" * 32, size=4)
    )
    await eventually(lambda: send(officials.codes, made), lambda said: "another run" in str(said))
    assert (await balance_of(officials, made))["made"] == 0


@pytest.mark.parametrize("attack", ["changed", "cut", "stranger"])
async def test_a_registration_that_isnt_genuine_is_refused(
    officials: Officials, election: Election, attack: str
) -> None:
    """A changed or cut file, and one that the authority didn't sign, is refused in words."""
    content = election.content
    taken = read(content, election.election_id, election.authority.public_hex)
    forged = {
        "changed": content.replace(b'"spare":true', b'"spare":false', 1),
        "cut": content[: len(content) // 2],
        "stranger": b"".join(lines_of(taken.header, taken.packs, Signer("77" * 32))),
    }
    with pytest.raises(CliError):
        await asyncio.to_thread(send, officials.codes, election, forged[attack])


async def test_a_wrong_number_of_packs_draws_nothing(
    neighbours: Neighbours, officials: Officials, tmp_path: Path
) -> None:
    """One elector too many or too few for the packs: nothing is drawn, until it is put right."""
    made = await prepare(neighbours, tmp_path, 4, 2)
    extra = await neighbours.register(made.election_id, 1)
    made.rights += extra
    fixed = CredentialListFixed(
        election_id=made.election_id, root=made.files.root, size=made.files.size
    )
    await neighbours.to_all(fixed)
    said = await eventually(
        lambda: send(officials.codes, made), lambda said: "5 electors" in str(said)
    )
    assert "--count 5" in str(said)
    assert (await balance_of(officials, made))["made"] == 0
    for right in extra:
        await neighbours.decide(
            RightWithdrawalAccepted(
                election_id=made.election_id,
                right_id=right,
                decided_at_ms=1,
                withdrawal_id=f"w-{right}",
            )
        )
    report = await eventually(
        lambda: send(officials.codes, made), lambda said: isinstance(said, dict)
    )
    assert report["assigned"] == 4


async def test_who_comes_later_gets_a_spare(
    neighbours: Neighbours, officials: Officials, election: Election
) -> None:
    """A right registered after the import gets a spare by a command, and more electors than spares
    are refused, all of them."""
    late = await neighbours.register(election.election_id, 2)
    path = f"/elections/{election.election_id}/packs/grant"
    await eventually(
        lambda: balance_path(officials, election), lambda said: said["rights_without_pack"] == 2
    )
    done = await asyncio.to_thread(officials.codes.post, path)
    assert done == {"granted": 2}
    for right in late:
        [granted] = await neighbours.hear(RightGranted, right_id=right)
        credentials.verify_inclusion(
            election.files.root,
            granted.index,
            election.files.size,
            granted.credential,
            granted.path,
        )
        await neighbours.hear(PackAssigned, right_id=right)
    await neighbours.register(election.election_id, 2)
    await eventually(
        lambda: balance_path(officials, election), lambda said: said["rights_without_pack"] == 2
    )
    with pytest.raises(CliError, match="1 spares are left"):
        await asyncio.to_thread(officials.codes.post, path)


def balance_path(officials: Officials, election: Election) -> Any:
    """The balance of packs, blocking."""
    return officials.codes.get(f"/elections/{election.election_id}/packs/balance")


WORDS = "Mrs Canary Featherstone of 4 Elm St rang"


async def replace(officials: Officials, right_id: str) -> dict[str, Any]:
    """Ask for a replacement, once codes has read its own grant back; raises CliError."""
    body, path = {"reason": WORDS}, f"/rights/{right_id}/replace-pack"
    said = await eventually(
        lambda: officials.codes.post(path, body), lambda said: "no pack yet" not in str(said)
    )
    if isinstance(said, CliError):
        raise said
    return dict(said)


def decision_on(asked: PackReplaced, *, is_accepted: bool) -> Any:
    """What votes says of a replacement."""
    about: dict[str, Any] = {
        "election_id": asked.election_id,
        "right_id": asked.right_id,
        "decided_at_ms": 5,
        "replacement_id": asked.replacement_id,
        "old_serial": asked.old_serial,
        "serial": asked.serial,
    }
    if is_accepted:
        return PackReplacementAccepted(**about)
    return PackReplacementRefused(**about, reason="already_used")


async def test_a_lost_pack_is_replaced_once_votes_agrees(
    neighbours: Neighbours, officials: Officials, election: Election
) -> None:
    """A replacement names a spare on the right's stream; postal learns the serial only when the
    decision is there, and then the printer's export has the new pack."""
    right = election.rights[0]
    seen = await replace(officials, right)
    [asked] = await neighbours.hear(PackReplaced, right_id=right)
    assert (asked.old_serial, asked.serial) == (election.serial_of[right], seen["serial"])
    assert seen["outcome"] == "undecided"
    # What the officer wrote may name people: officers read it here, and the log never does.
    assert asked.reason == OTHER
    listed = await asyncio.to_thread(officials.codes.get, f"/rights/{right}/replacements")
    assert [one["words"] for one in listed["replacements"]] == [WORDS]
    with pytest.raises(CliError, match="awaits its decision"):
        await replace(officials, right)
    assert neighbours.all_of(PackAssigned, serial=asked.serial) == []
    await neighbours.decide(decision_on(asked, is_accepted=True))
    await neighbours.hear(PackAssigned, serial=asked.serial, right_id=right)
    path = f"/replacements/{asked.replacement_id}"
    told = await asyncio.to_thread(officials.codes.get, path)
    assert told["outcome"] == "accepted"
    lines = await asyncio.to_thread(
        lambda: list(
            officials.codes.stream(f"/elections/{election.election_id}/assignments", method="GET")
        )
    )
    now = {line["right_id"]: line["serial"] for line in lines[:-1]}
    assert now == election.serial_of | {right: asked.serial}
    assert lines[-1]["end"]["assignments"] == 12


async def test_who_asks_for_a_spare_sees_what_the_one_before_was_given(
    running: Stack, election: Election
) -> None:
    """A second asker waits for the first one's end, so that both never name the same spare."""
    where = running.database_url("codes", "app")
    first, second, watcher = [await asyncpg.connect(where) for _ in range(3)]
    held = first.transaction()
    await held.start()
    [given] = await registrations.free_spares(first, election.election_id, 1)
    asking = asyncio.ensure_future(spare_of(second, election.election_id))
    async with asyncio.timeout(10):
        while not await watcher.fetchval("select exists (select from pg_locks where not granted)"):
            assert not asking.done()
    right = election.rights[0]
    old = election.serial_of[right]
    made = Replacement("r-held", election.election_id, right, old, given.serial, "officer-1", "x")
    await insert_replacement(first, made)
    await held.commit()
    assert await asking not in ("", given.serial)
    for connection in (first, second, watcher):
        await connection.close()


async def spare_of(sql: Any, election_id: str) -> str:
    """The serial of a spare, as a replacement picks it."""
    async with sql.transaction():
        [spare] = await registrations.free_spares(sql, election_id, 1)
    return spare.serial


async def test_replacements_at_the_same_moment_get_a_spare_each(
    officials: Officials, election: Election
) -> None:
    """However many officers ask at once, nobody is given a spare that another one was given."""
    seen = await asyncio.gather(*(replace(officials, right) for right in election.rights[:3]))
    assert len({one["serial"] for one in seen}) == 3
    with pytest.raises(CliError, match="Every spare pack is used"):
        await replace(officials, election.rights[3])


async def test_a_refused_replacement_leaves_the_pack_and_uses_no_name_twice(
    neighbours: Neighbours, officials: Officials, election: Election
) -> None:
    """If votes refuses, the old pack stands and the spare stays a spare; but its name is on the
    log, so it is never given to anybody else. When all spares are named, that is said."""
    named = []
    for right in election.rights[:3]:
        await replace(officials, right)
        [asked] = await neighbours.hear(PackReplaced, right_id=right)
        await neighbours.decide(decision_on(asked, is_accepted=False))
        path = f"/replacements/{asked.replacement_id}"
        said = await eventually(
            lambda path=path: officials.codes.get(path), lambda said: said["outcome"] != "undecided"
        )
        assert said["reason"] == "already_used"
        named.append(asked.serial)
    assert len(set(named)) == 3
    await until_states(officials, election, spare=3, replaced=0, unused=12)
    with pytest.raises(CliError, match="Every spare pack is used"):
        await replace(officials, election.rights[4])


@promise("P11")
async def test_every_pack_is_in_one_final_state(
    neighbours: Neighbours, officials: Officials, election: Election
) -> None:
    """Votes by both channels, a withdrawal, a replacement, a returned letter: the states add up to
    the packs made, each pack once."""
    online, post, gone, lost, back = election.rights[:5]
    about = {"election_id": election.election_id, "decided_at_ms": 7}
    await neighbours.decide(RightUsedOnline(**about, right_id=online))
    await neighbours.decide(
        EnvelopeAdmitted(
            **about, right_id=post, scan_id=f"s-{post}", serial=election.serial_of[post]
        )
    )
    await neighbours.decide(RightWithdrawalAccepted(**about, right_id=gone, withdrawal_id="w"))
    await replace(officials, lost)
    [asked] = await neighbours.hear(PackReplaced, right_id=lost)
    await neighbours.decide(decision_on(asked, is_accepted=True))
    for right in (back, online):
        path = f"/packs/{election.serial_of[right]}/undelivered"
        await asyncio.to_thread(officials.codes.post, path)
    found = await until_states(
        officials,
        election,
        voted_online=1,
        voted_by_post=1,
        withdrawn=1,
        replaced=1,
        undelivered=1,
        spare=2,
        unused=8,
    )
    assert found["is_balanced"]
    assert found["made"] == 15 == sum(found["states"].values())
    with pytest.raises(CliError, match="No pack has this serial"):
        await asyncio.to_thread(officials.codes.post, f"/packs/{'0' * 14}/undelivered")


@promise("P8")
async def test_no_code_is_anywhere_on_the_servers(
    neighbours: Neighbours, officials: Officials, election: Election
) -> None:
    """After the import no voting code is in any file of the stack: tables, write-ahead log, topic
    segments, logs and secrets; searched whole, in groups and by halves."""
    forms = [
        form.encode()
        for code in list(election.codes.values())[:3]
        for form in (code, code_forms.grouped(code), code[:10].lower(), code[10:])
    ]
    searched = 0
    for path in neighbours.stack.home.root.rglob("*"):
        # Kafka's indexes are megabytes of zeros that hold offsets only.
        if path.is_file() and not path.is_symlink() and "index" not in path.suffix:
            content = await asyncio.to_thread(path.read_bytes)
            searched += len(content)
            assert not any(form in content for form in forms), path
    # The search reaches where things are kept: the registered credentials are there to be found.
    assert searched > 10_000_000
    credential = credentials.derive(next(iter(election.codes.values())), election.election_id)
    segments = neighbours.stack.home.root.rglob("castonce.rights*/*.log")
    granted = neighbours.all_of(RightGranted, credential=credential.public)
    assert not granted or any(credential.public.encode() in p.read_bytes() for p in segments)


async def test_the_printer_can_join_what_is_exported(
    officials: Officials, election: Election, tmp_path: Path
) -> None:
    """The export of codes, joined with the sealed codes and addresses, gives each right its own
    code."""
    path = f"/elections/{election.election_id}/assignments"
    out = tmp_path / "assignments"
    count = await asyncio.to_thread(export, officials.codes, path, out, "assignments")
    assert count == 12
    people: list[Any] = [
        {"right_id": right, "name": right, "address": [], "postcode": ""}
        for right in election.rights
    ]
    lines = [*people, {"end": {"addresses": 12}}]
    addresses = tmp_path / "addresses"
    addresses.write_bytes(b"".join(msgspec.json.encode(line) + b"\n" for line in lines))
    header = SealedHeader(
        election=election.election_id, root=election.files.root, size=15, printer="0" * 64
    )
    letters = join(SealedCodes(header, "", election.codes), out, addresses)
    assert {letter.to.right_id: letter.code for letter in letters} == {
        right: election.code_of(right) for right in election.rights
    }


async def test_grants_that_a_crash_left_are_taken_up(
    neighbours: Neighbours, officials: Officials, election: Election
) -> None:
    """If codes dies between drawing the packs and granting them, the next start grants the rest,
    under the same event ids."""
    before = {
        r.event_id for r in neighbours.heard if isinstance(r.message, RightGranted)
        and r.message.election_id == election.election_id
    }  # fmt: skip
    heard = len(neighbours.heard)
    neighbours.stack.kill_service("codes")
    sql = await asyncpg.connect(neighbours.stack.database_url("codes", "owner"))
    await sql.execute(
        "update registrations set granted_through = '', is_granted = false where election_id = $1",
        election.election_id,
    )
    await sql.close()
    await asyncio.to_thread(neighbours.stack.start_service, "codes")

    def again() -> set[str]:
        return {
            r.event_id for r in neighbours.heard[heard:] if isinstance(r.message, RightGranted)
            and r.message.election_id == election.election_id
        }  # fmt: skip

    async with asyncio.timeout(30), neighbours.news:
        await neighbours.news.wait_for(lambda: len(again()) >= 12)
    assert again() == before
    assert len(await asyncio.to_thread(send_again, officials, election)) == 12


def send_again(officials: Officials, election: Election) -> list[Any]:
    """The assignments, blocking."""
    path = f"/elections/{election.election_id}/assignments"
    return list(officials.codes.stream(path, method="GET"))[:-1]


def test_a_header_has_one_spelling() -> None:
    """The header of a registration is what `packs make` writes, field by field."""
    assert Header.__struct_fields__ == (
        "kind", "version", "election", "count", "spares", "root", "size",
    )  # fmt: skip


async def test_rights_and_roles_are_checked(officials: Officials, election: Election) -> None:
    """A clerk can't replace a pack, an unknown right has none, and nobody asks without a token."""
    with pytest.raises(CliError, match="No right has this id"):
        await replace(officials, "0" * 32)
    stranger = type(officials.codes)(f"http://127.0.0.1:{officials.codes._port}", "cst_" + "x" * 43)
    with pytest.raises(CliError):
        await asyncio.to_thread(stranger.get, f"/elections/{election.election_id}/packs/balance")


async def test_registering_twice_at_once_draws_once(
    neighbours: Neighbours, officials: Officials, tmp_path: Path
) -> None:
    """Two officers who send the same file at the same moment get one draw."""
    made = await prepare(neighbours, tmp_path, 5, 1)
    await neighbours.to_all(
        CredentialListFixed(
            election_id=made.election_id, root=made.files.root, size=made.files.size
        )
    )
    await eventually(
        lambda: send(officials.codes, made, leave_over=False), lambda said: isinstance(said, dict)
    )
    reports = await asyncio.gather(
        *(asyncio.to_thread(send, officials.codes, made) for _ in range(3))
    )
    assert {report["assigned"] for report in reports} == {5}
    granted = await neighbours.hear(RightGranted, 5, election_id=made.election_id)
    assert len(granted) == 5


async def test_packs_beyond_the_electors_can_be_kept(
    neighbours: Neighbours, officials: Officials, tmp_path: Path
) -> None:
    """Packs beyond the electors are kept as spares when the officer says so."""
    made = await prepare(neighbours, tmp_path, 4, 0)
    await neighbours.decide(
        RightWithdrawalAccepted(
            election_id=made.election_id,
            right_id=made.rights[0],
            decided_at_ms=1,
            withdrawal_id="w-left",
        )
    )
    await neighbours.to_all(
        CredentialListFixed(
            election_id=made.election_id, root=made.files.root, size=made.files.size
        )
    )
    await eventually(lambda: send(officials.codes, made), lambda said: "--leave-over" in str(said))
    report = await asyncio.to_thread(send, officials.codes, made, None, leave_over=True)
    assert (report["assigned"], report["left_over"]) == (3, 1)
    await until_states(officials, made, spare=1)


async def test_registered(neighbours: Neighbours, officials: Officials, tmp_path: Path) -> None:
    """The report of an import tells what was done."""
    made = await prepare(neighbours, tmp_path, 2, 1)
    report = await register(neighbours, officials, made)
    assert report == {
        "election_id": made.election_id,
        "packs": 3,
        "assigned": 2,
        "left_over": 0,
        "spares": 1,
        "root": made.files.root,
        "is_new": True,
    }
