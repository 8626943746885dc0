"""Live events in every state in which a door of theirs can be tried, hosted by Ada; one by Kai, who asks her along."""

import uuid
from datetime import timedelta

from app import clock
from content.live_events import hosts, polls, questions, segments, service
from content.live_events.schemas import NewLive, NewPin, NewPoll, NewSegment
from referrals.live_cards import service as live_cards
from tests.factories import Person, a_member

# Which event a door is tried at, by the end of its address; any other at the one that is on.
TRIED_AT = {
    "/live-events/{slug}": "to-change",
    "/state": "to-begin",
    "/reminder": "to-come",
    "/transcript": "is-over",
    "/polls": "to-ask",
    "/closure": "to-close",
    "/invitation": "by-another",
}


async def live_of(ada: Person, product: str) -> dict[str, dict[str, str]]:
    """By slug: what stands at each place of an address there."""
    made: dict[str, dict[str, str]] = {}
    kai = await a_member("kai-o")
    for slug in ("is-on", *TRIED_AT.values()):
        title = slug.replace("-", " ").capitalize()
        host = kai if slug == "by-another" else ada
        assert await service.plan(host.viewer, NewLive(title, clock.now() + timedelta(hours=1))) == slug
        made[slug] = {"slug": slug, "handle": "kai-o"}
        if slug == "by-another":
            await hosts.invite(kai.viewer, slug, ada.handle)
        elif slug not in ("to-change", "to-begin", "to-come"):
            await service.begin(ada.viewer, slug)
        if slug in ("is-on", "to-close"):
            question_id, _is_new = await questions.ask(ada.viewer, slug, uuid.uuid4(), "Does it clog?")
            made[slug] |= {
                "pin_id": str(await live_cards.pin(ada.viewer, slug, NewPin(product))),
                "question_id": str(question_id),
                "poll_id": str(await polls.open_poll(ada.viewer, slug, NewPoll("Which?", ["This", "That"]))),
                "segment_id": str(await segments.write(ada.viewer, slug, NewSegment("It does not clog."))),
            }
    kept = await segments.write(ada.viewer, "is-on", NewSegment("It never did."))
    made["is-on"]["kept_segment"] = str(kept)
    await service.end(ada.viewer, "is-over")
    return made


def places_at(template: str, live: dict[str, dict[str, str]]) -> dict[str, str]:
    if "/live-events" not in template:
        return {}
    return live[next((slug for end, slug in TRIED_AT.items() if template.endswith(end)), "is-on")]
