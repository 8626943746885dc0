"""What we ask of Saleor (3.20 or newer). The subscription stands in docs/SHOPS.md, where shops copy it from."""

ORDER = """fragment Told on Order {
  id number status created updatedAt isPaid voucherCode userEmail
  channel { slug }
  gv: metafield(key: "gv")
  user { id }
  shippingAddress { streetAddress1 streetAddress2 postalCode phone country { code } }
  total { currency gross { amount } }
  shippingPrice { net { amount } gross { amount } }
  giftCards { id }
  lines {
    id productName quantity
    variant { product { id } }
    undiscountedTotalPrice { net { amount } }
    totalPrice { net { amount } gross { amount } }
  }
  fulfillments { status created }
  transactions { events { id type createdAt pspReference amount { amount } } }
  payments { transactions { id kind isSuccess created amount { amount } } }
  grantedRefunds {
    shippingCostsIncluded
    lines { quantity orderLine { id } }
    transactionEvents { id }
  }
}
"""

PRODUCT = """fragment Described on Product {
  id name slug description
  url: metafield(key: "url")
  category { name }
  thumbnail(size: 1024) { url }
  channelListings { channel { slug } isPublished discountedPrice { amount currency } }
  variants { trackInventory stocks { quantity quantityAllocated } }
}
"""

ORDER_EVENTS = (
    "OrderCreated", "OrderConfirmed", "OrderUpdated", "OrderPaid", "OrderFullyPaid", "OrderFulfilled",
    "OrderRefunded", "OrderFullyRefunded", "OrderCancelled", "OrderExpired",
)  # fmt: skip

SUBSCRIPTION = (
    "subscription {\n  event {\n    __typename\n    issuedAt\n"
    + "".join(f"    ... on {kind} {{ order {{ ...Told }} }}\n" for kind in ORDER_EVENTS)
    + "    ... on CustomerCreated { user { id email updatedAt } }\n"
    + "    ... on CustomerUpdated { user { id email updatedAt } }\n"
    + "    ... on ProductCreated { product { ...Described } }\n"
    + "    ... on ProductUpdated { product { ...Described } }\n"
    + "    ... on ProductDeleted { product { id } }\n"
    + "  }\n}\n"
    + ORDER
    + PRODUCT
)

ORDERS = (
    """query ($since: DateTime!, $first: Int!, $after: String, $channel: String) {
  orders(
    first: $first, after: $after, channel: $channel, filter: {updatedAt: {gte: $since}}
    sortBy: {field: CREATED_AT, direction: ASC}
  ) { edges { node { ...Told } } pageInfo { hasNextPage endCursor } }
}
"""
    + ORDER
)
