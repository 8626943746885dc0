"""Orders with a story: each shows something that a month of chance would not."""

from msgspec import Struct

from demo.content.talk import DAY, HOUR


class Scene(Struct, frozen=True):
    """One order at Northfold. `tag` is how the rest of the story finds it again."""

    tag: str
    products: tuple[tuple[str, int], ...]
    ago: int
    buyer: str = ""
    """A member's handle; empty: somebody who only shops."""
    link: str = ""
    """The last person's click on this link before the order came with it."""
    codes: tuple[str, ...] = ()
    address: str = ""
    card: str = ""
    """Whose card paid, where it was not the buyer's."""
    told_wrong: int = 0
    """By how much the shop's total is off."""
    delivered: int = 0
    """How long after the order; 0: not yet."""
    back: tuple[tuple[str, int, int], ...] = ()
    """Product, amount and how long ago: what went back of it later."""


CAMPAIGN_CODE = "TRAIL10"

SCENES = (
    # Paid out long ago, and then part of it goes back: a debt that the next commissions pay.
    Scene("back-after-payout", (("alder-trail-pack-28", 1), ("mist-shell", 1)), 49 * DAY, link="linwei-pack-video",
          delivered=3 * DAY, back=(("mist-shell", 14_800, 2 * HOUR),)),
    Scene("vest-came-back", (("night-vest", 1),), 47 * DAY, link="callum-vest", delivered=2 * DAY,
          back=(("night-vest", 6_400, 5 * HOUR),)),
    # The same address as the sharer's own parcels: a household, or herself. Somebody has to look.
    Scene("mara-herself", (("lid-flask-750", 1), ("wax-bar", 1)), 44 * DAY, buyer="mara", address="12 Weir Lane",
          delivered=3 * DAY),
    Scene("mara-household", (("alder-day-pack-18", 1),), 34 * HOUR, link="mara-packs", address="12 Weir Lane"),
    # The same card as the sharer's: confirmed by one admin, and objected to.
    Scene("henry-himself", (("seed-tray-kit", 1),), 52 * DAY, buyer="henry", delivered=3 * DAY),
    Scene("henry-card", (("balcony-planter-60", 2), ("long-spout-can-3", 1)), 9 * DAY, link="henry-planter",
          card="henry", delivered=2 * DAY),
    # An office is an address of many; the shop's owner knew, and cleared it.
    Scene("gareth-himself", (("bike-light-pair", 1),), 46 * DAY, buyer="gareth", address="Unit 9, Canal Yard",
          delivered=2 * DAY),
    Scene("gareth-office", (("commuter-pannier-20", 1), ("rain-cape", 1)), 22 * DAY, link="gareth-pannier",
          address="Unit 9, Canal Yard", delivered=2 * DAY),
    # No click at all: the code that Kirsten says aloud at the end of her films.
    Scene("by-code-1", (("mist-shell", 1),), 38 * DAY, codes=(CAMPAIGN_CODE,), delivered=3 * DAY),
    Scene("by-code-2", (("merino-tee", 2), ("brim-cap", 1)), 26 * DAY, codes=(CAMPAIGN_CODE,), delivered=2 * DAY),
    Scene("by-code-3", (("ridge-runner-low", 1),), 11 * DAY, codes=(CAMPAIGN_CODE.lower(),), delivered=3 * DAY),
    Scene("by-code-4", (("liner-gloves", 1), ("trail-socks-three", 2)), 3 * DAY, codes=("Trail 10",)),
    # Her link and Kirsten's code on one order: one of the two is credited, and both can read why.
    Scene("link-and-code", (("alder-hip-pouch-4", 1),), 8 * DAY, link="linwei-pack", codes=(CAMPAIGN_CODE,),
          delivered=2 * DAY),
    # Tents are paid better while their budget lasts.
    Scene("tent-1", (("fell-two-door-tent", 1),), 30 * DAY, link="kirsten-night", delivered=3 * DAY),
    Scene("tent-2", (("fell-two-door-tent", 1), ("tarn-folding-mat", 2)), 16 * DAY, link="kirsten-night",
          delivered=3 * DAY),
    Scene("tent-3", (("tarp-three-by-three", 1),), 5 * DAY, link="kirsten-night", delivered=2 * DAY),
    # The till sent a total that its lines do not make: nothing is earned until somebody clears it.
    Scene("does-not-add-up", (("alder-trail-pack-28", 1),), 8 * HOUR, link="linwei-pack-video", told_wrong=2_000),
    # Nobody's click led here; the buyer wrote whose word did. Above the threshold two people decide.
    Scene("told-at-the-door", (("kestrel-quilt-5", 1), ("tarn-folding-mat", 1)), 4 * DAY, delivered=2 * DAY),
    # The bank took it back, and gave it again.
    Scene("disputed", (("ridge-runner-low", 1),), 21 * DAY, link="jonas-shoes", delivered=2 * DAY),
)  # fmt: skip
