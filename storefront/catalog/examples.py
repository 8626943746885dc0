"""What the JSON doors take and give, as the OpenAPI document shows it."""

from app.money import Money
from storefront.catalog.schemas import ProductDetails, ProductView

details = ProductDetails(
    title="Hand grinder 38 mm",
    url="https://shop.example/p/grinder-38",
    price=Money(8900, "USD"),
    description="Steel burrs, 38 mm, and a step for every pot.",
    image_url="https://shop.example/img/grinder-38.jpg",
    brand="Northbound",
    category="Grinders",
    gtin="4006381333931",
    stock=12,
)
product = ProductView(
    id="5",
    slug="hand-grinder-38-mm",
    external_id="GR-38",
    title="Hand grinder 38 mm",
    description="Steel burrs, 38 mm, and a step for every pot.",
    url="https://shop.example/p/grinder-38",
    price=Money(8900, "USD"),
    image_url="https://shop.example/img/grinder-38.jpg",
    brand="Northbound",
    category="Grinders",
    gtin="4006381333931",
    stock=12,
)
