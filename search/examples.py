"""What the JSON doors take and give, as the OpenAPI document shows it."""

from datetime import UTC, datetime

from search.schemas import Facet, Facets, Hit, HitAuthor, HitGroup, SearchAnswer

answer = SearchAnswer(
    items=[
        Hit(
            kind="topic",
            id="12",
            title="Which grinder for a moka pot?",
            title_html="Which <mark>grinder</mark> for a moka pot?",
            snippet="Mine clogs at the finest step.",
            url="/g/coffee/t/12-which-grinder-for-a-moka-pot",
            lang="en",
            updated_at=datetime(2026, 3, 14, 9, 26, 53, tzinfo=UTC),
            group=HitGroup("coffee", "Coffee at home"),
            author=HitAuthor("ada", "Ada", False),
        )
    ],
    facets=Facets({"topic": 1}, [Facet("coffee", "Coffee at home", 1)], []),
    next=None,
    took_ms=3.2,
    engine="postgres",
)
