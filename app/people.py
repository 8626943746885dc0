"""A person's own data: all of it for them to take along, or none of it left. It knows every feature, so it is roof.

Erasing keeps what belongs to others or to the books: what was said stays under "a former member", clicks, orders,
commissions and the ledger keep their numbers and hashes, and only ids point at somebody who has no name any more.
"""

from pathlib import Path
from typing import Any

import msgspec

from app import clock, db, ids, live
from app.auth import Viewer
from app.errors import Conflict, NotFound
from app.events import publish
from community.chat import exports as room_exports
from community.media import service as media
from community.media import storage
from community.members.events import MemberErased
from community.members.queries import member_by_handle
from referrals.bounties import keeping as bounty_posts
from referrals.bounties import proofs as bounty_proofs
from referrals.links.closures import close as close_links
from referrals.payouts import methods as payout_methods

FORMER = "A former member"

# What is theirs, file by file. Secrets (digests, hashes) stay out: they would only help whoever finds the file.
FILES = {
    "profile": "SELECT id, handle, email, email_proven_at, name, bio, role, lang, created_at FROM member WHERE id = $1",
    "sessions": "SELECT user_agent, created_at, seen_at, expires_at FROM session WHERE member_id = $1",
    "tokens": "SELECT name, scopes, created_at, used_at, used_from, revoked_at FROM api_token WHERE member_id = $1",
    "suspensions": "SELECT reason, created_at, until, lifted_at FROM suspension WHERE member_id = $1",
    "groups": """SELECT g.slug, g.name, m.role, m.state, m.joined_at
                   FROM membership m JOIN groups g ON g.id = m.group_id WHERE m.member_id = $1""",
    "founded_groups": "SELECT slug, name, description, visibility, created_at FROM groups WHERE owner_id = $1",
    "topics": "SELECT id, kind, title, slug, created_at FROM topic WHERE author_id = $1",
    "posts": "SELECT id, topic_id, number, reply_to_id, body, created_at, edited_at FROM post WHERE author_id = $1",
    "reactions": "SELECT post_id, emoji, created_at FROM reaction WHERE member_id = $1",
    "messages": "SELECT id, room_id, seq, reply_to_id, body, created_at FROM message WHERE author_id = $1",
    "chat_events": "SELECT room_id, seq, kind, message_id, data, at FROM room_event WHERE author_id = $1",
    "chat_reactions": "SELECT message_id, emoji, created_at FROM message_reaction WHERE member_id = $1",
    "chat_pins": "SELECT room_id, message_id, created_at FROM message_pin WHERE pinned_by_id = $1",
    "chat_former_words": """SELECT v.message_id, v.body, v.until
                              FROM message_version v JOIN message m ON m.id = v.message_id WHERE m.author_id = $1""",
    "chat_named_in": "SELECT message_id FROM message_mention WHERE member_id = $1",
    "chat_files": """SELECT id, room_id, message_id, kind, name, key, media_type, bytes, created_at
                       FROM chat_file WHERE owner_id = $1""",
    "chat_exports": "SELECT room_id, state, asked_at, finished_at FROM room_export WHERE asked_by_id = $1",
    "bots": """SELECT m.name, b.room_id, b.created_at, b.said_at, b.revoked_at, b.made_by_id = $1 AS made_by_you
                 FROM bot b JOIN member m ON m.id = b.member_id
                WHERE $1 IN (b.made_by_id, b.revoked_by_id, b.member_id)""",
    "phone": "SELECT hint AS number, proven_at FROM member_phone WHERE member_id = $1",
    "phone_codes": "SELECT hint AS number, state, asked_at FROM phone_code WHERE member_id = $1",
    "phone_counted": "SELECT at FROM rewarded_phone WHERE member_id = $1",
    "webhooks": """SELECT owner_kind, owner_id, url, types, created_at, off_at
                     FROM webhook_endpoint WHERE made_by_id = $1""",
    "chat_read": "SELECT room_id, seq, muted_until FROM read_pointer WHERE member_id = $1",
    "privacy": "SELECT may_write, is_hidden, hides_reading, changed_at FROM privacy WHERE member_id = $1",
    "blocked": """SELECT m.handle, x.created_at FROM member_block x JOIN member m ON m.id = x.blocked_id
                   WHERE x.member_id = $1""",
    "direct": """SELECT room_id, created_at, asked_by_id = $1 AS you_asked, answer, answered_at
                   FROM direct_pair WHERE $1 IN (low_id, high_id)""",
    "rooms": "SELECT room_id, role, state, joined_at FROM room_member WHERE member_id = $1",
    "room_measures": """SELECT room_id, kind, seconds, until, reason, created_at, lifted_at
                          FROM room_measure WHERE member_id = $1""",
    "room_turns": "SELECT room_id, at FROM room_turn WHERE member_id = $1",
    "reviews": """SELECT r.id, p.slug AS product, r.rating, r.title, r.body, r.evidence, r.created_at, r.edited_at
                    FROM review r JOIN product p ON p.id = r.product_id WHERE r.author_id = $1""",
    "review_votes": "SELECT review_id, created_at FROM review_vote WHERE member_id = $1",
    "review_replies": "SELECT review_id, body, created_at FROM review_reply WHERE author_id = $1",
    "questions": "SELECT id, product_id, body, created_at FROM question WHERE author_id = $1",
    "answers": "SELECT id, question_id, body, created_at FROM answer WHERE author_id = $1",
    "guides": "SELECT id, slug, title, summary, lang, blocks, created_at FROM guide WHERE author_id = $1",
    "live_events": """SELECT id, slug, title, summary, state, starts_at, went_live_at, ended_at, created_at
                        FROM live_event WHERE host_id = $1""",
    "live_transcripts": """SELECT e.slug AS event, s.offset_seconds, s.body
                             FROM live_segment s JOIN live_event e ON e.id = s.event_id WHERE e.host_id = $1""",
    "live_questions": """SELECT event_id, message_id, vote_count, raised_at, answered_at
                           FROM live_question WHERE asker_id = $1""",
    "live_question_votes": "SELECT question_id, created_at FROM live_question_vote WHERE member_id = $1",
    "live_poll_votes": "SELECT poll_id, option_id, at FROM live_poll_vote WHERE member_id = $1",
    "live_reminders": "SELECT event_id, created_at FROM live_reminder WHERE member_id = $1",
    "live_invites": "SELECT event_id, invited_at FROM live_invite WHERE member_id = $1",
    "guide_drafts": "SELECT id, title, summary, lang, source, created_at FROM guide_draft WHERE author_id = $1",
    "notifications": "SELECT kind, url, data, created_at, read_at FROM notification WHERE member_id = $1",
    "reports": "SELECT case_id, reason, note, created_at FROM flag WHERE reporter_id = $1",
    "moderated": """SELECT subject_kind, subject_id, state, reason, opened_at, decided_at
                      FROM moderation_case WHERE author_id = $1""",
    "uploads": "SELECT id, key, media_type, width, height, bytes, created_at FROM upload WHERE owner_id = $1",
    "links": """SELECT l.code, l.external_id, l.target_kind, l.target_id, l.destination, l.placement, l.routes,
                       l.starts_at, l.ends_at, l.most_visits, l.created_at, l.disabled_at,
                       p.kind AS place, p.location, p.cost, p.currency
                  FROM link l LEFT JOIN link_placement p ON p.link_id = l.id AND p.removed_at IS NULL
                 WHERE l.owner_id = $1""",
    "former_link_names": """SELECT f.code, f.until FROM link_former_code f JOIN link l ON l.id = f.link_id
                             WHERE l.owner_id = $1""",
    "links_switched": """SELECT l.code, c.closed_at, c.reopened_at, c.closed_by_id = $1 AS by_you
                          FROM link_closure c JOIN link l ON l.id = c.link_id
                         WHERE $1 IN (l.owner_id, c.closed_by_id, c.reopened_by_id)""",
    "remembered_clicks": "SELECT click_id, claimed_at FROM click_claim WHERE member_id = $1",
    "browsers": "SELECT day, visitor_day_hash FROM member_visitor WHERE member_id = $1",
    "brought_by": "SELECT click_id, created_at FROM signup_referral WHERE member_id = $1",
    "brought": "SELECT created_at FROM signup_referral WHERE referrer_id = $1",
    "purchases": """SELECT s.slug AS store, c.external_id AS customer, o.external_id AS order, o.currency, o.paid_at
                      FROM customer c JOIN store s ON s.id = c.store_id LEFT JOIN orders o ON o.customer_id = c.id
                     WHERE c.member_id = $1""",
    "phone_invites": "SELECT invited_at, accepted_at FROM phone_invite WHERE member_id = $1",
    "codes": """SELECT s.slug AS store, c.text, c.kind, c.leak_state, c.used_total, c.created_at, c.disabled_at
                  FROM code c JOIN program p ON p.id = c.program_id JOIN store s ON s.id = p.store_id
                 WHERE c.owner_id = $1""",
    "codes_entered": "SELECT code_id, entered_at FROM code_entry WHERE member_id = $1",
    "invites": "SELECT invited_at FROM invite WHERE member_id = $1",
    "credit_by_hand": """SELECT order_id, reason, state, proposed_at, proposed_by = $1 AS proposed_by_you,
                                coalesce(winner_id = $1, false) AS for_you
                           FROM attribution_override
                          WHERE $1 IN (proposed_by, decided_by, withdrawn_by, winner_id)""",
    "replays": "SELECT store_id, days, state, created_at FROM simulation WHERE made_by = $1",
    "attributions": "SELECT order_id, version, rule, decided_at FROM attribution WHERE winner_id = $1",
    "commissions": """SELECT c.id, o.external_id AS order, c.currency, c.base, c.granted, c.rate_bps, c.state, c.role,
                             c.hold_until, c.created_at
                        FROM commission c JOIN orders o ON o.id = c.order_id WHERE c.member_id = $1""",
    "ledger": """SELECT t.occurred_at, t.kind, t.reason, a.kind AS bucket, e.currency, -e.amount AS amount
                   FROM ledger_entry e JOIN ledger_account a ON a.id = e.account_id
                   JOIN ledger_transaction t ON t.id = e.transaction_id
                  WHERE a.owner_kind = 'member' AND a.owner_id = $1 ORDER BY t.id, e.line""",
    "payouts": """SELECT p.id, s.slug AS store, p.currency, p.amount, p.netted, p.fee, p.withheld, p.bonus, p.sends,
                         p.pays, p.pays_currency, r.rate, p.rail, p.state, p.reason, p.created_at, p.state_at
                    FROM payout p JOIN store s ON s.id = p.store_id LEFT JOIN fx_rate r ON r.id = p.rate_id
                   WHERE p.member_id = $1""",
    "payout_methods": """SELECT id, rail, hint, currency, created_at, usable_at, removed_at
                           FROM payout_method WHERE member_id = $1""",
    "payout_wish": "SELECT rail, automatic FROM payout_wish WHERE member_id = $1",
    "identity_requests": """SELECT s.slug AS store, x.said, x.asked_at, x.closed_at
                              FROM identity_request x JOIN store s ON s.id = x.store_id WHERE x.member_id = $1""",
    "identity_checks": """SELECT s.slug AS store, x.result, x.document, x.country, x.valid_until, x.note, x.at
                            FROM identity_check x JOIN store s ON s.id = x.store_id WHERE x.member_id = $1""",
    "tax_profile": "SELECT country, kind, last4, changed_at FROM tax_profile WHERE member_id = $1",
    "store_credit": """SELECT s.slug AS store, c.code, c.currency, c.amount, c.issued_at, c.used_at
                         FROM store_credit c JOIN store s ON s.id = c.store_id WHERE c.member_id = $1""",
    "credit_spent": """SELECT s.slug AS store, x.currency, x.amount, x.order_external_id AS order,
                              x.used_at, x.undone_at
                         FROM credit_use x JOIN customer c ON c.id = x.customer_id JOIN store s ON s.id = x.store_id
                        WHERE c.member_id = $1""",
    "hosts_vouched_for": "SELECT host, created_at FROM store_host WHERE added_by_id = $1",
    "checks": """SELECT c.id, s.slug AS store, c.state, c.opened_at, c.decided_at, c.resolution
                   FROM fraud_case c JOIN store s ON s.id = c.store_id WHERE c.member_id = $1""",
    "said_in_checks": "SELECT case_id, kind, said, at FROM fraud_entry WHERE actor_id = $1",
    "objections": """SELECT s.slug AS store, o.external_id AS order, x.said, x.state, x.answer, x.created_at,
                              x.decided_at
                       FROM credit_objection x JOIN orders o ON o.id = x.order_id JOIN store s ON s.id = o.store_id
                      WHERE x.member_id = $1""",
    "orders_found_right": "SELECT order_id, doubt, note, created_at FROM doubt_clearance WHERE member_id = $1",
    "goals": "SELECT currency, amount, set_at FROM earning_goal WHERE member_id = $1",
    "leaderboard": "SELECT taken_at FROM board_seat WHERE member_id = $1",
    "partner_of": """SELECT s.slug AS store, x.state, x.tier, x.created_at
                       FROM partner x JOIN program p ON p.id = x.program_id JOIN store s ON s.id = p.store_id
                      WHERE x.member_id = $1""",
    "partner_applications": """SELECT s.slug AS store, x.answers, x.state, x.reason, x.created_at, x.decided_at
                                 FROM partner_application x JOIN program p ON p.id = x.program_id
                                 JOIN store s ON s.id = p.store_id WHERE x.member_id = $1""",
    "partner_messages": """SELECT program_id, is_from_store, body, created_at, read_at
                             FROM partner_message WHERE member_id = $1""",
    "partner_tags": "SELECT program_id, tag FROM partner_tag WHERE member_id = $1",
    "partner_notes": """SELECT program_id, body, created_at, author_id = $1 AS by_you
                          FROM partner_note WHERE $1 IN (member_id, author_id)""",
    "agreed_rates": """SELECT program_id, rate_bps, note, starts_at, expires_at, ended_at
                         FROM rate_override WHERE member_id = $1""",
    "recruited": """SELECT program_id, since, via, recruiter_id = $1 AS by_you
                      FROM recruit WHERE $1 IN (member_id, recruiter_id)""",
    "bounties": """SELECT b.title, x.period, x.proof_url, x.note, x.reach, x.state, x.reason, x.created_at, x.decided_at
                     FROM bounty_submission x JOIN bounty b ON b.id = x.bounty_id WHERE x.member_id = $1""",
    "bounty_files": """SELECT bounty_id, submission_id, name, key, media_type, bytes, created_at
                         FROM bounty_file WHERE member_id = $1""",
    "social_accounts": """SELECT platform, kind, key, code, state, account, name, url, asked_at, proven_at
                            FROM social_account WHERE member_id = $1""",
    "bounty_figures": """SELECT w.platform, w.key, f.metric, f.figure, f.source, f.at
                           FROM bounty_submission x JOIN bounty_watch w ON w.submission_id = x.id
                           JOIN bounty_figure f ON f.watch_id = w.id WHERE x.member_id = $1 ORDER BY f.id""",
    "contracts": """SELECT c.name AS campaign, x.rate_bps, x.state, x.created_at, x.answered_at,
                           (SELECT jsonb_agg(jsonb_build_object('title', m.title, 'fee', m.fee, 'state', m.state,
                                                                'proof_url', m.proof_url, 'note', m.note) ORDER BY m.id)
                              FROM campaign_milestone m WHERE m.contract_id = x.id) AS milestones
                      FROM campaign_contract x JOIN campaign c ON c.id = x.campaign_id WHERE x.member_id = $1""",
    "debts_let_go": """SELECT s.slug AS store, x.currency, x.amount, x.note, x.at
                         FROM write_off x JOIN store s ON s.id = x.store_id WHERE x.member_id = $1""",
    "stores": "SELECT slug, name, provider, currency, origin, created_at FROM store WHERE owner_id = $1",
}


FORGOTTEN = """credential session api_token notification idempotency_key read_pointer privacy member_phone phone_code
               member_block room_turn live_reminder live_invite member_visitor earning_goal board_seat
               partner_tag partner_note social_account""".split()

# Rows that the books or a store's history need, without the words in them that say who it was.
BLANKED = {
    "partner_application": "answers = '[]', risk_reasons = '[]'",
    "partner": "state = 'left', tier = ''",
    "rate_override": "note = ''",
    "bounty_submission": "proof_url = '', note = ''",
    "credit_objection": "said = ''",
    "identity_request": "said = '', closed_at = coalesce(closed_at, now())",
    "identity_check": "country = '', note = ''",
}


async def export(handle: str, folder: Path) -> dict[str, int]:
    """Write everything of a member's into an empty folder, one JSON file a kind and their pictures; rows by file."""
    member = await member_by_handle(handle)
    _make_room(folder)
    counts = {}
    for name, question in FILES.items():
        rows = [dict(row) for row in await db.fetch(question, member["id"])]
        counts[name] = len(rows)
        (folder / f"{name}.json").write_bytes(msgspec.json.format(msgspec.json.encode(rows), indent=1) + b"\n")
    await _export_pictures(member["id"], folder / "pictures")
    return counts


def _make_room(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Conflict(f"{folder} is not an empty folder.")
    # Only for who exports: it holds an address and private words.
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / "pictures").mkdir()


async def _export_pictures(member_id: int, folder: Path) -> None:
    rows = await db.fetch(
        """SELECT key FROM upload WHERE owner_id = $1
           UNION ALL SELECT key FROM bounty_file WHERE member_id = $1
           UNION ALL SELECT key FROM chat_file WHERE owner_id = $1""",
        member_id,
    )
    avatar = await db.fetch_val("SELECT avatar_key FROM member WHERE id = $1", member_id)
    for key in [row["key"] for row in rows] + ([avatar] if avatar else []):
        try:
            (folder / key.replace("/", "-")).write_bytes(await storage.get(key))
        except NotFound:
            continue  # A picture that the storage lost is no reason to withhold the rest.


async def erase(handle: str) -> dict[str, Any]:
    """Take a member's name, address, face, keys and memory away. What they wrote stays, the books stay."""
    member = await member_by_handle(handle)
    await media.remove_avatar(Viewer(member_id=member["id"]))
    await bounty_proofs.forget(member["id"])
    # With a chance part, so that nobody can sit on the name and so keep another from leaving.
    former = f"gone-{member['id']}-{ids.new_code(5)}"
    async with db.transaction():
        for table in FORGOTTEN:
            await db.execute(f"DELETE FROM {table} WHERE member_id = $1", member["id"])
        for table, without in BLANKED.items():
            await db.execute(f"UPDATE {table} SET {without} WHERE member_id = $1", member["id"])
        await db.execute(
            """UPDATE campaign_milestone SET proof_url = '', note = ''
                WHERE contract_id IN (SELECT id FROM campaign_contract WHERE member_id = $1)""",
            member["id"],
        )
        await payout_methods.forget(member["id"])
        await bounty_posts.forget(member["id"])
        await db.execute("DELETE FROM guide_draft WHERE author_id = $1", member["id"])
        await _leave_groups(member["id"])
        await _leave_conversations(member["id"])
        await close_links(
            [row["id"] for row in await db.fetch("SELECT id FROM link WHERE owner_id = $1", member["id"])], None
        )
        # The code is often the handle. Whoever has the old address finds a page, nobody is sent on or earns by it.
        await db.execute(
            """UPDATE link SET code = $2 || '-' || id, routes = '{}',
                               placement = CASE WHEN placement = '' THEN '' ELSE id::text END,
                               external_id = CASE WHEN external_id = '' THEN '' ELSE id::text END
                WHERE owner_id = $1""",
            member["id"],
            former,
        )
        # A personal code begins with the handle. The orders it earned from know it by its use.
        await db.execute(
            """UPDATE code SET text = CASE kind WHEN 'personal' THEN 'GONE-' || id ELSE text END,
                               code_norm = CASE kind WHEN 'personal' THEN 'GONE' || id ELSE code_norm END,
                               disabled_at = coalesce(disabled_at, $2) WHERE owner_id = $1""",
            member["id"],
            clock.now(),
        )
        await db.execute(
            "DELETE FROM link_former_code WHERE link_id IN (SELECT id FROM link WHERE owner_id = $1)", member["id"]
        )
        # That a code hung somewhere decided orders; where it hung is the member's own business.
        await db.execute(
            """UPDATE link_placement SET location = '', removed_at = coalesce(removed_at, $2)
                WHERE link_id IN (SELECT id FROM link WHERE owner_id = $1)""",
            member["id"],
            clock.now(),
        )
        await db.execute(
            """UPDATE event SET data = data || jsonb_build_object('handle', $2::text)
                WHERE actor_id = $1 AND data ? 'handle'""",
            member["id"],
            former,
        )
        await db.execute(
            """UPDATE event SET data = data - 'hint' - 'before'
                WHERE type IN ('PhoneProven', 'PhoneRemoved') AND (data ->> 'member_id')::bigint = $1""",
            member["id"],
        )
        await _take_out_of_bells(member["handle"], former)
        await room_exports.drop_those_naming(member["id"])
        await db.execute(
            """UPDATE member SET handle = $2, email = $2 || '@erased.invalid', name = $3, bio = '', avatar_key = '',
                                 lang = '', role = 'member', email_proven_at = NULL WHERE id = $1""",
            member["id"],
            former,
            FORMER,
        )
        await publish(MemberErased(member_id=member["id"]), actor_id=member["id"])
        db.after_commit(lambda: live.shut_out_member(member["id"]))
    owns = await db.fetch("SELECT slug FROM groups WHERE owner_id = $1 ORDER BY slug", member["id"])
    return {"id": str(member["id"]), "handle": former, "still_owns_groups": [row["slug"] for row in owns]}


async def _take_out_of_bells(handle: str, former: str) -> None:
    """Others keep that they were told, whichever word of the telling was the name."""
    await db.execute(
        """UPDATE notification
              SET url = regexp_replace(url, '/(@|m/)' || $1 || '(?=[/?#]|$)', '/\\1' || $2),
                  data = (SELECT coalesce(jsonb_object_agg(key, CASE
                                 WHEN value = to_jsonb($1::text) THEN to_jsonb($2::text)
                                 WHEN key = 'name' AND data ->> 'handle' = $1 THEN to_jsonb($3::text)
                                 ELSE value END), '{}') FROM jsonb_each(data))
            WHERE data::text LIKE '%"' || $1 || '"%' OR url LIKE '%/' || $1 || '%' OR url LIKE '%/@' || $1 || '%'""",
        handle,
        former,
        FORMER,
    )


async def _leave_conversations(member_id: int) -> None:
    """Whom they wrote with keeps what was said, and can say no more to somebody who is gone."""
    await db.execute("UPDATE room_member SET state = 'left' WHERE member_id = $1 AND state <> 'left'", member_id)
    await db.execute("DELETE FROM member_block WHERE blocked_id = $1", member_id)


async def _leave_groups(member_id: int) -> None:
    await db.execute(
        """WITH gone AS (DELETE FROM membership WHERE member_id = $1 AND role <> 'owner' RETURNING group_id, state)
           UPDATE groups SET member_count = member_count - 1
            WHERE id IN (SELECT group_id FROM gone WHERE state = 'active')""",
        member_id,
    )
