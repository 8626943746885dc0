from app.events import on
from app.jobs import every
from storefront.catalog import pictures
from storefront.catalog.events import ProductChanged, ProductListed


@on(ProductListed)
async def keep_first_picture(event: ProductListed) -> None:
    await pictures.keep_picture(event.product_id)


@on(ProductChanged)
async def keep_changed_picture(event: ProductChanged) -> None:
    await pictures.keep_picture(event.product_id)


@every("23 * * * *")
async def keep_missing_pictures() -> None:
    for product_id in await pictures.missing():
        await pictures.keep_picture(product_id)
