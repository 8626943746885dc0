"""What a commission without an order came from, in words of whom it belongs to: their film, their month, their link.

Whoever became active is not named: who joined by a link is told to its owner as a number only.
"""

from collections.abc import Sequence

import msgspec

from app import db
from app.i18n import gettext as _
from referrals.programs.words import rule_name


class Cause(msgspec.Struct):
    """`kind` is the first word of the commission's source; `url` is where the thing itself stands."""

    kind: str
    title: str
    words: str
    url: str = ""
    link: str = ""


# The number in a source ("bounty:7"), for the kinds whose source has one.
_NUMBER = "CASE WHEN c.source LIKE '{kind}:%' THEN split_part(c.source, ':', 2)::bigint END"

# It reads what stands above it: a bounty, a milestone. They are facts by then, and nothing here changes them.
_CAUSES = f"""
SELECT c.id, split_part(c.source, ':', 1) AS kind, c.rule, split_part(c.source, ':', 4) AS month,
       b.id AS bounty_id, coalesce(b.title, x.title, '') AS title, x.contract_id, k.name AS campaign,
       coalesce(al.code, vl.code, '') AS link
  FROM commission c
  LEFT JOIN bounty_submission s ON s.id = {_NUMBER.format(kind="bounty")}
  LEFT JOIN bounty b ON b.id = s.bounty_id
  LEFT JOIN campaign_milestone x ON x.id = {_NUMBER.format(kind="milestone")}
  LEFT JOIN campaign_contract t ON t.id = x.contract_id
  LEFT JOIN campaign k ON k.id = t.campaign_id
  LEFT JOIN signup_referral r ON r.member_id = {_NUMBER.format(kind="activation")}
  LEFT JOIN link al ON al.id = r.link_id AND al.owner_id = c.member_id
  LEFT JOIN conversion v ON v.id = {_NUMBER.format(kind="conversion")}
  LEFT JOIN link vl ON vl.id = v.link_id AND vl.owner_id = c.member_id
 WHERE c.id = ANY($1::bigint[]) AND c.source IS NOT NULL
"""


async def causes_of(commission_ids: Sequence[int]) -> dict[int, Cause]:
    """By commission, of those that have no order; one query, and none when there are no such."""
    rows = await db.fetch(_CAUSES, list(commission_ids)) if commission_ids else []
    return {row["id"]: _cause(row) for row in rows}


def _cause(row) -> Cause:  # type: ignore[no-untyped-def]
    kind, link = row["kind"], row["link"]
    name = rule_name(row["rule"])
    if kind == "bounty":
        url = f"/earn/bounties/{row['bounty_id']}" if row["bounty_id"] else ""
        return Cause(kind, row["title"] or name, _("Your work for a bounty"), url)
    if kind == "milestone":
        url = f"/earn/campaigns/{row['contract_id']}" if row["contract_id"] else ""
        words = _("Your work for the campaign “%(name)s”", name=row["campaign"] or name)
        return Cause(kind, row["title"] or name, words, url)
    if kind == "volume":
        return Cause(kind, name, _("Your sales of %(month)s", month=row["month"]), "/earn/programs")
    if kind == "activation":
        return Cause(kind, name, _("Somebody you brought became active"), link=link)
    if kind == "conversion":
        return Cause(kind, name, _("The store told of it after a click on your link"), link=link)
    return Cause(kind, name, "", link=link)


def kind_words(kind: str) -> str:
    """What stands where an order's number would."""
    return {
        "bounty": _("Bounty"),
        "milestone": _("Campaign"),
        "volume": _("Volume"),
        "activation": _("New member"),
        "conversion": _("Told by the store"),
    }.get(kind, _("Reward"))
