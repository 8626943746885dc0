"""What the JSON doors take and give, as the OpenAPI document shows it."""

from datetime import UTC, datetime

from app.money import Money
from referrals.links.report import Placed, PlacedList, Report, Side
from referrals.links.routing import When
from referrals.links.schemas import (
    CheckView,
    DomainList,
    DomainView,
    HostList,
    HostView,
    LinkChange,
    LinkList,
    LinkView,
    ManyLinks,
    NamedLink,
    NewLink,
    NewRule,
    Place,
    RuleTried,
    RuleView,
    Tried,
    UpsertedLinks,
    WholeLink,
)

new_link = NewLink("product:hand-grinder-38-mm", "ada-grinder", "newsletter")
wechat = When(in_app=["wechat"])
link = LinkView(
    code="ada-grinder",
    url="https://community.example/r/ada-grinder",
    qr_svg_url="https://community.example/r/ada-grinder/qr.svg",
    target="product:5",
    destination="https://shop.example/p/grinder-38",
    placement="newsletter",
    label="#ad",
    disclosure="I may earn from this link.",
    clicks=37,
    bots=4,
    created_at="2026-03-14T09:26:53+00:00",
    disabled=False,
    external_id="spring-17",
    starts_at=None,
    ends_at="2026-12-31T00:00:00+00:00",
    most_visits=None,
    visits_left=None,
    has_password=False,
    rules=[RuleView(wechat, "page:/guides/", "/guides/")],
    split=[],
    place=Place("shelf", "Third floor, left of the stairs", 1900, "USD"),
)
links = LinkList([link], None)
change = LinkChange(
    ends_at=datetime(2199, 12, 31, tzinfo=UTC),
    rules=[NewRule(wechat, "page:/guides/")],
    place=Place("shelf", "Third floor, left of the stairs", 1900, "USD"),
)
whole = WholeLink("product:hand-grinder-38-mm", placement="spring mail", ends_at=datetime(2199, 12, 31, tzinfo=UTC))
many = ManyLinks([NamedLink("product:hand-grinder-38-mm", external_id="spring-17", placement="spring poster")])
upserted = UpsertedLinks([link], created=1, changed=0)
tried = Tried(
    destination="/guides/",
    blocked="",
    rule=1,
    variant="",
    device="phone",
    os="ios",
    browser="safari",
    in_app="wechat",
    language="zh-CN",
    country="",
    rules=[RuleTried(1, True, [CheckView("in_app", "wechat", "wechat", True)], "/guides/")],
)
report = Report(people=37, scans=12, bots=4, previews=9, blocked=0, orders=3, sides=[Side("short", 20, 2)])
placed = PlacedList(
    [
        Placed(
            code="ada-grinder",
            name="newsletter",
            kind="shelf",
            location="Third floor, left of the stairs",
            cost=Money(1900, "USD"),
            clicks=37,
            scans=12,
            orders=3,
            per_order=Money(634, "USD"),
        )
    ],
    None,
)
hosts = HostList([HostView("blog.shop.example")])
host = HostView("blog.shop.example")
domain = DomainView(
    host="go.shop.example",
    txt_name="_grapevine.go.shop.example",
    txt_value="grapevine=7x2kq8vm",
    proven=True,
    in_use=True,
    blocked=False,
    problem="",
)
domains = DomainList([domain])
