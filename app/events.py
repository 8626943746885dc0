"""Announce up: a feature publishes what happened; features above subscribe and react in jobs of their own.

The event row and one job per subscriber are written on the caller's connection, so they commit with the change.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import msgspec

from app import clock, db, jobs

E = TypeVar("E", bound="Event")
Subscriber = Callable[[Any], Awaitable[None]]

_types: dict[str, type["Event"]] = {}
_subscribers: dict[type["Event"], list[str]] = {}
_companions: dict[type["Event"], list[Subscriber]] = {}


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened: a frozen struct in the past tense, with ids and facts, never rows."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if cls.__name__ in _types and _types[cls.__name__].__module__ != cls.__module__:
            raise RuntimeError(f"two events are called {cls.__name__}")
        _types[cls.__name__] = cls


async def publish(event: Event, *, actor_id: int | None = None) -> int:
    """Write the event and a job for each subscriber in the current transaction; the event's id."""
    return (await publish_all([event], actor_id=actor_id))[0]


async def publish_all(events: Sequence[Event], *, actor_id: int | None = None) -> list[int]:
    """Publish several at once, in this order: two statements, however many they are."""
    if not events:
        return []
    told = [(event, type(event).__name__, msgspec.json.encode(event)) for event in events]
    rows = await db.current_connection().fetch(
        """INSERT INTO event (type, actor_id, data, happened_at)
           SELECT t.type, $2::bigint, t.data::jsonb, $4
             FROM unnest($1::text[], $3::text[]) WITH ORDINALITY AS t (type, data, place) ORDER BY t.place
           RETURNING id""",
        [name for _event, name, _data in told],
        actor_id,
        [data.decode() for _event, _name, data in told],
        clock.now(),
    )
    await jobs.enqueue([(job, data) for event, _name, data in told for job in _subscribers.get(type(event), ())])
    for event in events:
        for companion in _companions.get(type(event), ()):
            await companion(event)
    return [row["id"] for row in rows]


def on(event_type: type[E]) -> Callable[[Callable[[E], Awaitable[None]]], Callable[[E], Awaitable[None]]]:
    """Subscribe a job to an event: `@on(OrderPaid) async def credit_referrer(event): ...`. Idempotent, please."""

    def subscribe(function: Callable[[E], Awaitable[None]]) -> Callable[[E], Awaitable[None]]:
        async def run(payload: bytes) -> None:
            await function(msgspec.json.decode(payload, type=event_type))

        name = f"{function.__module__}.{function.__name__}"
        jobs.register(name, run)
        _subscribers.setdefault(event_type, []).append(name)
        return function

    return subscribe


def within(event_type: type[E]) -> Callable[[Callable[[E], Awaitable[None]]], Callable[[E], Awaitable[None]]]:
    """React inside the publisher's own transaction, for what must be there whenever the change is there.

    It delays whoever publishes, and its failure undoes their change: a row or two, nothing slow. Else take `on`.
    """

    def accompany(function: Callable[[E], Awaitable[None]]) -> Callable[[E], Awaitable[None]]:
        _companions.setdefault(event_type, []).append(function)
        return function

    return accompany
