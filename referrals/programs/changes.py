"""New rules, and new rules of crediting, as changes that a store may want two people for."""

import asyncpg

from app.auth import Viewer
from app.i18n import gettext as _
from referrals.agreement.kinds import Change, Kind, takes_two
from referrals.programs import policies, queries, service, words
from referrals.programs.policies import Crediting
from referrals.programs.schemas import Rules
from referrals.programs.terms import Terms, terms_of


class RulesChange(Change, frozen=True):
    rules: Rules
    terms: Terms
    base_version: int


class CreditingChange(Change, frozen=True):
    crediting: Crediting
    instead_of: int


async def _publish(viewer: Viewer, store: asyncpg.Record, change: RulesChange) -> None:
    await service.publish_rules(
        store["slug"], change.rules, terms=change.terms, actor_id=viewer.member_id, base_version=change.base_version
    )


async def _say_rules(store: asyncpg.Record, change: RulesChange) -> list[str]:
    """What the new rules say that those they were made from did not, and the other way round."""
    program = await queries.program_of(store["id"])
    before = await queries.version_numbered(program["id"], change.base_version) if program else None
    was = words.sentences(service.rules_of(before), terms_of(before)) if before else []
    will = words.sentences(change.rules, change.terms)
    gone = [_("No longer: %(words)s", words=one) for one in was if one not in will]
    return [one for one in will if one not in was] + gone or [_("Rules as they are.")]


async def _credit(viewer: Viewer, store: asyncpg.Record, change: CreditingChange) -> None:
    await policies.publish_crediting(viewer, store["slug"], change.crediting, instead_of=change.instead_of)


async def _say_crediting(_store: asyncpg.Record, change: CreditingChange) -> list[str]:
    crediting = change.crediting
    return [
        _("Who is credited: %(order)s", order=", ".join(crediting.policy.order)),
        _("A click counts for %(n)s days; of several, the %(which)s.", n=crediting.window_days, which=crediting.model),
    ]


takes_two("rules", Kind(RulesChange, _publish, _say_rules))
takes_two("crediting", Kind(CreditingChange, _credit, _say_crediting))
