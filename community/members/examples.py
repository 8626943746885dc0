"""What the JSON doors take and give, as the OpenAPI document shows it."""

from community.members.schemas import MemberCard, MemberMade, NewMember

new_member = NewMember("ada", "ada@example.org", "correct horse battery", "Ada")
member_made = MemberMade("7", "ada")
member_card = MemberCard("7", "ada", "Ada", "I roast at home and take notes.", "/media/9f2c41.webp")
