"""What the JSON doors take and give, as the OpenAPI document shows it."""

from referrals.links.schemas import LinkList, LinkView, NewLink

new_link = NewLink("product:hand-grinder-38-mm", "ada-grinder", "newsletter")
link = LinkView(
    code="ada-grinder",
    url="https://community.example/r/ada-grinder",
    qr_svg_url="https://community.example/r/ada-grinder/qr.svg",
    target="product:5",
    destination="https://shop.example/p/grinder-38",
    placement="newsletter",
    disclosure="I may earn from this link.",
    clicks=37,
    bots=4,
    created_at="2026-03-14T09:26:53+00:00",
    disabled=False,
)
links = LinkList([link], None)
