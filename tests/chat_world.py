"""What of a room the examples of the OpenAPI document name beside its messages."""

from typing import Any

from app import db
from tests.community.test_media import a_picture
from tests.factories import Person

API = "/api/v1"


async def chat_at_coffee(web: Any, ada: Person, room: str) -> dict[str, str]:
    """A message of Ada's with a card, a file she has not sent yet, and an export of the room."""
    as_ada = web(token=ada.token)
    said = {"client_id": "0b8f7c52-3a4e-4a83-9a44-0f6f3c1d2e51", "body": "https://roastery.example/beans"}
    marked = (await as_ada.post(f"{API}/rooms/{room}/messages", json=said)).json()["id"]
    card = await db.fetch_val(
        """INSERT INTO message_card (message_id, place, kind, url, data)
           VALUES ($1, 0, 'link', 'https://roastery.example/', '{"title": "Beans"}') RETURNING id""",
        int(marked),
    )
    file = (await as_ada.post(f"{API}/rooms/{room}/files", files={"file": ("a.png", a_picture())})).json()["id"]
    export = (await as_ada.post(f"{API}/rooms/{room}/exports")).json()["id"]
    return {"marked_id": marked, "card_id": str(card), "chat_file_id": file, "export_id": export}
