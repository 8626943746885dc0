"""What the JSON doors take and give, as the OpenAPI document shows it."""

from datetime import UTC, datetime

from app.paging import Page
from community.sessions.schemas import Login, Token, TokenView

login = Login("ada", "correct horse battery", "Nightly export", ["read"])
token = Token("gv_Yt0lCkq3Vb5mZ8sX1nR7dQ2wE6uH9aJ4")
tokens = Page(
    [
        TokenView(
            id="12",
            name="Nightly export",
            scopes=["read"],
            created_at=datetime(2026, 11, 22, 9, 0, tzinfo=UTC),
            used_at=datetime(2026, 11, 23, 3, 0, tzinfo=UTC),
            used_from="203.0.113.0/24",
            is_this=False,
        )
    ],
    None,
)
