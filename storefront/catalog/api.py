import asyncpg
from litestar import Controller, Request, Response, put
from litestar.di import NamedDependency
from litestar.params import FromPath

from app.auth import Viewer
from app.money import Money
from app.openapi import door
from app.web import json_body
from storefront.catalog import examples
from storefront.catalog.queries import product_by_id
from storefront.catalog.schemas import ProductDetails, ProductView
from storefront.catalog.service import upsert_product
from storefront.stores.policy import access_own_store


class CatalogApi(Controller):
    path = "/stores"
    tags = ["catalog"]

    @put(
        "/{slug:str}/products/{external_id:str}",
        summary="Describe a product of a store",
        opt=door(takes=examples.details, gives=examples.product, scope="write", also=201),
    )
    async def upsert(
        self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str], external_id: FromPath[str]
    ) -> Response[ProductView]:
        """By the store's owner or an admin. 201 when it is new; sending the same again changes nothing."""
        store = await access_own_store(viewer, slug)
        upserted = await upsert_product(store, external_id, await json_body(request, ProductDetails))
        product = await product_by_id(upserted.id)
        return Response(_view(product), status_code=201 if upserted.outcome == "created" else 200)


def _view(product: asyncpg.Record) -> ProductView:
    return ProductView(
        id=str(product["id"]),
        slug=product["slug"],
        external_id=product["external_id"],
        title=product["title"],
        description=product["description"],
        url=product["url"],
        price=Money(product["price"], product["currency"]),
        image_url=product["image_url"],
        brand=product["brand"],
        category=product["category"],
        gtin=product["gtin"],
        stock=product["stock"],
    )
