"""Who listens to a room writes down what was told and in which order; the judge compares it with the books."""

from array import array
from collections.abc import Sequence


class Witness:
    """One listener of one room. `heard[seq - 1]` is the message an event was about; 0: about none, -1: never heard."""

    def __init__(self) -> None:
        self.heard = array("q")
        self.doubled = self.out_of_order = self.resyncs = 0

    @property
    def seq(self) -> int:
        return len(self.heard)

    def hear(self, seq: int, message_id: int) -> None:
        if seq == self.seq + 1:
            self.heard.append(message_id)
        elif seq <= self.seq:
            self.doubled += 1
        else:
            # A hole on one line. What is missing is counted as lost; here only that it was not in its place.
            self.out_of_order += 1
            self.heard.extend([-1] * (seq - self.seq - 1))
            self.heard.append(message_id)

    def loaded_anew(self, seq: int, messages: dict[int, int]) -> None:
        """The server said "resync": the history was read through the API instead; message ids by seq."""
        self.resyncs += 1
        self.heard.extend(messages.get(n, -1) for n in range(self.seq + 1, seq + 1))


class Verdict:
    """The sum over all witnesses."""

    def __init__(self) -> None:
        self.lost = self.doubled = self.out_of_order = 0
        self.is_asleep = False
        self.first: list[str] = []

    @property
    def is_clean(self) -> bool:
        return not (self.lost or self.doubled or self.out_of_order)

    def note(self, said: str) -> None:
        if len(self.first) < 20:
            self.first.append(said)


def judge_witness(verdict: Verdict, room: str, witness: Witness, truth: Sequence[tuple[int, int]]) -> None:
    """`truth`: every event of the room in the books, (seq, message id)."""
    verdict.doubled += witness.doubled
    verdict.out_of_order += witness.out_of_order
    if witness.doubled or witness.out_of_order:
        verdict.note(f"room {room}: {witness.doubled} events came again, {witness.out_of_order} after a hole")
    for position, (seq, message_id) in enumerate(truth):
        if seq != position + 1:
            verdict.out_of_order += 1
            verdict.note(f"room {room}: event {position + 1} of the books is numbered {seq}")
            return
        told = witness.heard[position] if position < witness.seq else -1
        if told == message_id:
            continue
        verdict.lost += 1
        verdict.note(f"room {room}: event {seq} (message {message_id}) was told as {told}")
    if witness.seq > len(truth):
        verdict.out_of_order += witness.seq - len(truth)
        verdict.note(f"room {room}: {witness.seq - len(truth)} events were told that the books do not know")


def judge_sender(
    verdict: Verdict, name: str, acked: Sequence[tuple[int, int]], kept: dict[int, list[tuple[int, int]]]
) -> None:
    """`acked`: (seq, id) by the number of the message, (0, 0) when no ack came; `kept`: what the books have of each."""
    for number, ack in enumerate(acked):
        rows = kept.get(number, [])
        if ack != (0, 0) and ack not in rows:
            verdict.lost += 1
            verdict.note(f"{name}: message {number} was acked as {ack}, the books have {rows}")
        if len(rows) > 1:
            verdict.doubled += len(rows) - 1
            verdict.note(f"{name}: message {number} is in the books as {rows}")


def is_awake(witness: Witness, truth: Sequence[tuple[int, int]]) -> bool:
    """Whether the judge notices when this witness drops, swaps or repeats something it really heard."""
    last = witness.seq - 1
    while last > 0 and witness.heard[last] == witness.heard[last - 1]:
        last -= 1
    if last <= 0:
        return False
    planted = []
    for plant in (_drop, _swap, _repeat):
        liar = Witness()
        liar.heard = array("q", witness.heard)
        plant(liar, last)
        verdict = Verdict()
        judge_witness(verdict, "examined", liar, truth)
        planted.append(verdict)
    dropped, swapped, repeated = planted
    return dropped.lost > 0 and swapped.lost > 0 and repeated.doubled > 0


def _drop(liar: Witness, place: int) -> None:
    del liar.heard[place]


def _swap(liar: Witness, place: int) -> None:
    liar.heard[place], liar.heard[place - 1] = liar.heard[place - 1], liar.heard[place]


def _repeat(liar: Witness, place: int) -> None:
    liar.hear(place, liar.heard[place - 1])
