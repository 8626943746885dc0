"""What the JSON doors take and give, as the OpenAPI document shows it."""

from community.groups.schemas import GivenRole, GroupView, NewGroup

new_group = NewGroup("coffee", "Coffee at home", "Beans, grinders and small disasters.", "public")
group = GroupView(
    id="3",
    slug="coffee",
    name="Coffee at home",
    description="Beans, grinders and small disasters.",
    visibility="public",
    member_count=1,
    topic_count=0,
    room_id="3",
    membership="active",
    url="/g/coffee",
)
given_role = GivenRole("moderator")
