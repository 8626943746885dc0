"""The judge of the soak must be able to say no."""

from array import array

import pytest

from tests.load.witness import Verdict, Witness, is_awake, judge_sender, judge_witness

# Five events of a room: a join, three messages, and a change of the first.
TRUTH = [(1, 0), (2, 11), (3, 12), (4, 11), (5, 13)]


def heard(*seqs: int) -> Witness:
    witness, ids = Witness(), dict(TRUTH)
    for seq in seqs:
        witness.hear(seq, ids[seq])
    return witness


def verdict_on(witness: Witness) -> tuple[int, int, int]:
    verdict = Verdict()
    judge_witness(verdict, "7", witness, TRUTH)
    assert verdict.is_clean == (verdict.lost == verdict.doubled == verdict.out_of_order == 0)
    return verdict.lost, verdict.doubled, verdict.out_of_order


@pytest.mark.parametrize(
    ("seqs", "faults"),
    [
        ((1, 2, 3, 4, 5), (0, 0, 0)),
        ((1, 2, 3, 4), (1, 0, 0)),
        ((1, 2, 4, 5), (1, 0, 1)),
        ((1, 2, 2, 3, 4, 5), (0, 1, 0)),
        ((1, 3, 2, 4, 5), (1, 1, 1)),
        ((), (5, 0, 0)),
    ],
    ids=["all", "the last is lost", "one is lost", "one comes twice", "two change places", "nothing was heard"],
)
def test_what_a_witness_heard_is_compared_with_the_books(seqs: tuple[int, ...], faults: tuple[int, int, int]):
    assert verdict_on(heard(*seqs)) == faults


def test_the_words_of_another_message_are_a_loss():
    witness = heard(1, 2, 3, 4, 5)
    witness.heard[2] = 99
    assert verdict_on(witness) == (1, 0, 0)


def test_what_the_books_do_not_know_was_not_said():
    witness = heard(1, 2, 3, 4, 5)
    witness.hear(6, 14)
    assert verdict_on(witness) == (0, 0, 1)


def test_a_history_read_instead_counts_as_heard_and_its_holes_as_lost():
    witness = heard(1, 2)
    witness.loaded_anew(5, {3: 12, 4: 11, 5: 13})
    assert verdict_on(witness) == (0, 0, 0)
    witness = heard(1, 2)
    witness.loaded_anew(5, {3: 12, 4: 11})
    assert verdict_on(witness) == (1, 0, 0)


@pytest.mark.parametrize(
    ("kept", "faults"),
    [
        ({0: [(2, 11)], 1: [(3, 12)]}, (0, 0)),
        ({0: [(2, 11)]}, (1, 0)),
        ({0: [(2, 11)], 1: [(9, 12)]}, (1, 0)),
        ({0: [(2, 11), (5, 13)], 1: [(3, 12)]}, (0, 1)),
    ],
    ids=["all kept", "one acked and lost", "one kept elsewhere", "one kept twice"],
)
def test_what_was_acknowledged_is_in_the_books_once(kept: dict, faults: tuple[int, int]):
    verdict = Verdict()
    judge_sender(verdict, "talker", [(2, 11), (3, 12), (0, 0)], kept)
    assert (verdict.lost, verdict.doubled) == faults


def test_a_judge_who_would_not_notice_is_not_awake():
    witness = heard(1, 2, 3, 4, 5)
    assert is_awake(witness, TRUTH)
    assert witness.heard == array("q", [0, 11, 12, 11, 13]), "the examination leaves no trace"
    assert not is_awake(Witness(), [])
