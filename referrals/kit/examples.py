"""What the JSON door gives, as the OpenAPI document shows it."""

from referrals.kit.schemas import KitView, PosterView, ShareText

kit = KitView(
    url="https://community.example/r/ada-grinder",
    greeting_url="https://community.example/hi/ada-grinder",
    label="#ad",
    disclosure="I may earn from this link.",
    lang="en",
    market="US",
    posters=[PosterView("poster", 1080, 1440, "https://community.example/r/ada-grinder/poster.png?shape=poster&in=en")],
    texts=[
        ShareText(
            "x",
            "#ad Hand grinder 38 mm $89.00\nI may earn from this link.\nhttps://community.example/r/ada-grinder",
            "card",
            "https://x.com/intent/post?text=%23ad+Hand+grinder",
        )
    ],
)
