"""Members with their faces and bells, and the groups they joined."""

from app.ids import new_code
from community.groups.tables import Group, Room
from community.members.service import hashed
from demo.filling.rows import Filling, copy_in, tag, take_ids

CAN_SIGN_IN = ("mara", "linwei", "jonas", "ines", "dmitri", "wenjing")
PASSWORD = "grapevine-demo"
ALSO_MODERATE = "jonas"


def email_of(handle: str) -> str:
    return f"{handle}@people.example"


async def settle_members(f: Filling) -> None:
    # Whoever came first has the lower id.
    members = sorted(f.content.members, key=lambda member: -member.ago)
    ids = await take_ids("member", len(members))
    f.members = {member.handle: member_id for member, member_id in zip(members, ids, strict=True)}
    await copy_in(
        "member",
        "id handle email email_proven_at name bio avatar_key role lang created_at",
        [
            (
                f.members[member.handle],
                member.handle,
                email_of(member.handle),
                f.at(member.ago),
                member.name,
                member.bio,
                f.pictures.get(f"member/{member.handle}", ""),
                member.role,
                tag(member.lang),
                f.at(member.ago),
            )
            for member in members
        ],
    )
    # One hash for all: it is one password, and a hash takes its time.
    password_hash = await hashed(PASSWORD, "password")
    await copy_in(
        "credential",
        "member_id password_hash changed_at",
        [(f.members[handle], password_hash, f.now) for handle in CAN_SIGN_IN],
    )
    await copy_in(
        "link",
        "code owner_id target_kind target_id destination placement created_at",
        [
            (member.handle, f.members[member.handle], "member", f.members[member.handle], "/", "", f.at(member.ago))
            for member in members
        ],
    )


async def found_groups(f: Filling) -> None:
    """Groups with their rooms and members. Topics, posts and chats come later and count themselves."""
    groups = sorted(f.content.groups, key=lambda group: -group.ago)
    group_ids = await take_ids(Group._meta.tablename, len(groups))
    room_ids = await take_ids(Room._meta.tablename, len(groups))
    rng = f.rng("memberships")
    joined_ago = {member.handle: member.ago for member in f.content.members}
    memberships = []
    for group, group_id, room_id in zip(groups, group_ids, room_ids, strict=True):
        f.groups[group.slug], f.rooms[group.slug] = group_id, room_id
        newcomers = [member.handle for member in f.content.members if member.new and member.lang == group.lang]
        joined = [*group.members, *(who for who in newcomers if rng.random() < 0.3)]
        for handle in joined:
            is_owner = handle == group.owner
            role = "owner" if is_owner else "moderator" if handle == ALSO_MODERATE else "member"
            ago = group.ago if is_owner else min(int(group.ago * rng.uniform(0.25, 0.98)), joined_ago[handle] - 600)
            memberships.append((group_id, f.members[handle], role, "active", f.at(ago)))
    await copy_in(
        "groups",
        "id slug name description visibility lang owner_id member_count topic_count created_at active_at",
        [
            (
                f.groups[group.slug],
                group.slug,
                group.name,
                group.description,
                "public",
                tag(group.lang),
                f.members[group.owner],
                sum(membership[0] == f.groups[group.slug] for membership in memberships),
                len(group.topics),
                f.at(group.ago),
                f.at(min(topic.posts[-1].ago for topic in group.topics)),
            )
            for group in groups
        ],
    )
    await copy_in("membership", "group_id member_id role state joined_at", memberships)
    await copy_in(
        "room",
        "id kind group_id name seq said epoch created_at",
        [
            (
                f.rooms[group.slug],
                "group",
                f.groups[group.slug],
                group.name,
                len(group.chat),
                len(group.chat),
                new_code(),
                f.at(group.ago),
            )
            for group in groups
        ],
    )
