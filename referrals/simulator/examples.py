"""What the JSON doors take and give, as the OpenAPI document shows it."""

from app.money import Money
from referrals.simulator.schemas import (
    Changed,
    Draft,
    InForce,
    Mover,
    Publication,
    Rehearsal,
    SimulationView,
)

draft = Draft(model="first", assist_bps={"author": 1000})
in_force = InForce(1, Draft())
rehearsal = Rehearsal(draft, 30)
publication = Publication(draft, 1)
simulation = SimulationView(
    id="4",
    state="done",
    days=30,
    orders=212,
    done=212,
    changed=9,
    cut_off=False,
    movers=[Mover("mara", 3, 1, Money(12_400, "USD"), Money(14_050, "USD"), Money(1_650, "USD"))],
    examples=[Changed("1001", "ben", "mara", "first_click", Money(890, "USD"))],
    created_at="2026-03-14T09:26:53+00:00",
)
