from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from app.auth import Viewer
from app.errors import Gone
from app.openapi import door
from referrals.kit import examples, service
from referrals.kit.schemas import KitView


class KitApi(Controller):
    path = "/links/{code:str}/kit"
    tags = ["earn"]

    @get(
        summary="Posters and ready texts for sharing one of your links",
        opt=door(gives=examples.kit, refuses=(Gone,), scope="read"),
    )
    async def show(
        self,
        viewer: NamedDependency[Viewer],
        code: FromPath[str],
        language: FromQuery[str] = "",
        market: FromQuery[str] = "",
    ) -> KitView:
        """`language` (en, zh-Hans) and `market` (two letters: CN, US, GB, DE …) are of those who will read it; they
        decide the label. Each text has its label in it and keeps to the limit of its channel."""
        _link, _subject, _offer, kit = await service.kit_of(viewer, code, lang=language, market=market)
        return kit
