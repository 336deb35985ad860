"""What the system promises a voter, as one meets it in the booth."""

import secrets

from ballots import codes as voting_codes
from cli.booth import Booth, Visit
from cli.outcomes import (
    Accepted,
    AlreadyVoted,
    CodeNotAccepted,
    CodeReady,
    Locked,
    PostReceived,
    Refused,
    Replaced,
    Withdrawn,
    WrongAnswers,
    in_words,
)
from shared.testing.promises import promise
from tests.journeys import voters
from tests.journeys.gathering import Gathering
from tests.journeys.patience import until
from tests.journeys.whole import Whole


@promise("P1", "P4")
async def test_a_vote_is_cast_once_and_its_receipt_comes_again(
    booth: Booth, gathering: Gathering
) -> None:
    """A vote is recorded; the same ballot again gets the same receipt, another ballot is told no.

    Losing the reply costs nothing: nobody has two votes, and nobody loses the receipt.
    """
    voter = await voters.prepare(booth, gathering, gathering.one())
    first = await voters.hand_in(booth, gathering, voter)
    assert isinstance(first, Accepted)
    assert await voters.hand_in(booth, gathering, voter) == first
    other = await voters.seal(gathering, voter.visit, choice=1)
    refused = await voters.hand_in(booth, gathering, voter, other)
    assert isinstance(refused, AlreadyVoted)
    assert refused.first_at_ms == first.receipt.recorded_at_ms


@promise("P5")
async def test_an_envelope_switches_the_code_off_and_the_voter_is_told_kindly(
    booth: Booth, gathering: Gathering
) -> None:
    """Whoever posted a ballot and then tries online hears why it can't be, and whom to ring."""
    elect = gathering.one()
    assert await voters.scan(gathering, elect) == "admitted"
    voter = await voters.prepare(booth, gathering, elect)
    told = await until(
        lambda: booth.state(voter.visit),
        lambda state: isinstance(state, PostReceived),
        what="the code's being blocked",
    )
    words = in_words(told, gathering.page["helpline"])
    assert "postal ballot" in words
    assert "If you posted nothing" in words
    assert gathering.page["helpline"] in words
    assert isinstance(await voters.hand_in(booth, gathering, voter), PostReceived)


@promise("P12")
async def test_five_wrong_answers_lock_the_booth_but_not_the_post(
    booth: Booth, gathering: Gathering
) -> None:
    """Whoever has the code and guesses five times is locked out online; the envelope counts."""
    elect = gathering.one()
    assert isinstance(await voters.lock_out(booth, gathering, elect), Locked)
    visit = await voters.enter(booth, gathering, elect.code)
    assert isinstance(await booth.prove(visit), CodeReady)
    assert isinstance(await voters.answer(booth, gathering, visit, elect), Locked)
    assert await voters.scan(gathering, elect) == "admitted"


@promise("P12")
async def test_two_officials_unlock_and_one_alone_does_not(
    whole: Whole, booth: Booth, gathering: Gathering
) -> None:
    """A locked-out voter gets in again when a second official agrees; one official isn't enough."""
    elect = gathering.one()
    assert isinstance(await voters.lock_out(booth, gathering, elect), Locked)
    first, second = whole.officers.identity
    path, reason = f"/rights/{elect.right_id}/unlock", {"reason": "rang and proved it"}
    for _ in range(2):
        first.post(path, reason)
    visit = await voters.enter(booth, gathering, elect.code)
    assert isinstance(await booth.prove(visit), CodeReady)
    assert isinstance(await voters.answer(booth, gathering, visit, elect), Locked)
    second.post(path, reason)
    await voters.vote(booth, gathering, elect)


@promise("P12")
async def test_a_stranger_without_the_code_can_lock_nobody_out(
    booth: Booth, gathering: Gathering
) -> None:
    """Knowing a member's public credential proves nothing, so no answer of a stranger counts.

    The stranger names the member's credential, but has another's code: the proof fails, no answer
    is read, and the member votes as if nothing had happened.
    """
    elect, stranger = gathering.take(2)
    named = await voters.enter(booth, gathering, elect.code)
    own = await voters.enter(booth, gathering, stranger.code)
    for _ in range(6):
        forged = Visit(
            named.election_id, own.credential, named.session_id, named.nonce, attempt_id="a" * 32
        )
        assert isinstance(await booth.prove(forged), CodeNotAccepted)
    await booth.prove(own)
    borrowed = Visit(
        named.election_id, named.credential, named.session_id, named.nonce, own.code_permit
    )
    refused = await voters.answer_wrongly(booth, gathering, borrowed, elect)
    assert isinstance(refused, Refused)
    assert refused.code == "code_permit_refused"
    await voters.vote(booth, gathering, elect)


@promise("P12")
async def test_all_codes_look_alike_until_both_permits_are_held(
    booth: Booth, gathering: Gathering
) -> None:
    """An active, blocked, spent, replaced, withdrawn and unknown code get the same answers.

    A stranger who tries one learns nothing: same steps, same words, same count of attempts left.
    """
    fresh, posted, voted, replaced, withdrawn, foreign = gathering.take(6)
    await voters.scan(gathering, posted)
    await voters.vote(booth, gathering, voted)
    assert (await gathering.offices.replace_pack(replaced.right_id)).serial is not None
    assert await gathering.offices.withdraw(withdrawn.right_id)
    unknown = voting_codes.generate(secrets.token_bytes)
    codes = [one.code for one in (fresh, posted, voted, replaced, withdrawn)]
    seen = []
    for code in [*codes, unknown]:
        visit = await voters.enter(booth, gathering, code)
        shape = (len(visit.session_id), len(visit.nonce))
        proved = await booth.prove(visit)
        assert visit.code_permit is not None
        permit_shape = (len(visit.code_permit.right_id), len(visit.code_permit.signature))
        said = [await voters.answer_wrongly(booth, gathering, visit, foreign) for _ in range(2)]
        seen.append((shape, proved, permit_shape, said))
    assert all(one == seen[0] for one in seen)
    assert seen[0][3] == [WrongAnswers(4), WrongAnswers(3)]


@promise("P12")
async def test_an_unknown_code_is_locked_after_five_tries_like_any_other(
    booth: Booth, gathering: Gathering
) -> None:
    """Even guessing to the end tells a stranger nothing: a made-up code is locked as a real one."""
    elect = gathering.one()
    visit = await voters.enter(booth, gathering, voting_codes.generate(secrets.token_bytes))
    assert isinstance(await booth.prove(visit), CodeReady)
    for remaining in (4, 3, 2, 1):
        said = await voters.answer(booth, gathering, visit, elect)
        assert said == WrongAnswers(remaining)
    assert isinstance(await voters.answer(booth, gathering, visit, elect), Locked)


async def test_a_lost_pack_is_replaced_and_the_old_code_is_dead(
    booth: Booth, gathering: Gathering
) -> None:
    """After a replacement the old code casts nothing, its holder is told, and the new one works."""
    elect = gathering.one()
    old = await voters.prepare(booth, gathering, elect)
    replaced = await gathering.offices.replace_pack(elect.right_id)
    assert replaced.serial is not None
    assert isinstance(await voters.hand_in(booth, gathering, old), Replaced)
    new_code = gathering.offices.code_of(replaced.serial)
    visit = await voters.identify(booth, gathering, elect, new_code)
    ballot = await voters.seal(gathering, visit)
    voter = voters.AtTheBooth(elect, visit, ballot)
    assert isinstance(await voters.hand_in(booth, gathering, voter), Accepted)
    assert await voters.scan(gathering, elect) == "replaced"


async def test_a_withdrawn_right_casts_nothing_in_either_channel(
    booth: Booth, gathering: Gathering
) -> None:
    """Somebody who isn't an elector any more is told so, online and at the scanner."""
    elect = gathering.one()
    voter = await voters.prepare(booth, gathering, elect)
    assert await gathering.offices.withdraw(elect.right_id)
    assert isinstance(await voters.hand_in(booth, gathering, voter), Withdrawn)
    assert await voters.scan(gathering, elect) == "withdrawn"
