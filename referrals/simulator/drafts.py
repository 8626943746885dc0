"""A draft as people write it, and as it is frozen into a version: handles here, member ids there."""

from collections.abc import Mapping
from typing import Any

import asyncpg

from app import db
from app.errors import Invalid
from app.i18n import gettext as _
from referrals.programs.policies import Crediting, check_crediting
from referrals.programs.policy import Policy, policy_of
from referrals.simulator.schemas import Draft


async def crediting_of(draft: Draft) -> Crediting:
    """The rules a draft means, checked."""
    named = {handle.strip().lower().removeprefix("@") for handle in (*draft.partners, draft.house) if handle.strip()}
    rows = await db.fetch("SELECT id, lower(handle) AS handle FROM member WHERE lower(handle) = ANY($1)", sorted(named))
    ids = {row["handle"]: row["id"] for row in rows}
    if unknown := sorted(named - set(ids)):
        raise Invalid("partners", _("Nobody here is called “%(handle)s”.", handle=unknown[0][:60]))
    crediting = Crediting(
        draft.model,
        draft.window_days,
        Policy(
            order=tuple(draft.order),
            new_customer_order=tuple(draft.new_customer_order),
            windows=draft.windows,
            bind=draft.bind,  # type: ignore[arg-type]
            bind_days=draft.bind_days,
            bind_idle_days=draft.bind_idle_days,
            min_confidence=draft.min_confidence,
            stand_down_hours=draft.stand_down_hours,
            partner_classes={str(ids[_plain(name)]): kind for name, kind in draft.partners.items() if name.strip()},
            assist_bps={role: bps for role, bps in draft.assist_bps.items() if bps},
            second_approver_from=draft.second_approver_from,
            leak=draft.leak,
            house_id=ids[_plain(draft.house)] if draft.house.strip() else None,
        ),
    )
    check_crediting(crediting)
    return crediting


async def draft_of(version: asyncpg.Record | Mapping[str, Any]) -> Draft:
    """The rules of a version as a draft."""
    policy = policy_of(version)
    people = [int(member) for member in policy.partner_classes] + ([policy.house_id] if policy.house_id else [])
    rows = await db.fetch("SELECT id, handle FROM member WHERE id = ANY($1::bigint[])", people)
    handles = {row["id"]: row["handle"] for row in rows}
    return Draft(
        model=version["model"],
        window_days=version["window_days"],
        order=list(policy.order),
        new_customer_order=list(policy.new_customer_order),
        windows=policy.windows,
        bind=policy.bind,
        bind_days=policy.bind_days,
        bind_idle_days=policy.bind_idle_days,
        min_confidence=policy.min_confidence,
        stand_down_hours=policy.stand_down_hours,
        partners={handles[int(m)]: kind for m, kind in policy.partner_classes.items() if int(m) in handles},
        assist_bps=policy.assist_bps,
        second_approver_from=policy.second_approver_from,
        leak=policy.leak,
        house=handles.get(policy.house_id or 0, ""),
    )


def _plain(handle: str) -> str:
    return handle.strip().lower().removeprefix("@")
