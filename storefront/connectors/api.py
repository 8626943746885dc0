from litestar import Request, Response, post
from litestar.params import FromPath

from app.errors import TooLarge
from app.openapi import door
from storefront.connectors import examples
from storefront.connectors.schemas import BadSignature, Received, SameIdOtherBody
from storefront.connectors.service import receive

MOST_BYTES = 1024 * 1024


@post(
    "/webhooks/{store:str}",
    summary="A store's signed message",
    tags=["webhooks"],
    request_max_body_size=MOST_BYTES,
    opt={"csrf_exempt": True}
    | door(
        takes=examples.order_paid,
        gives=examples.received,
        refuses=(BadSignature, SameIdOtherBody, TooLarge),
        also=200,
        headers=examples.headers,
    ),
    status_code=202,
)
async def receive_webhook(request: Request, store: FromPath[str]) -> Response[Received]:
    """202 once it is durable, 200 when it was here before, 401 unsigned, 409 the same id with another body.

    What is signed with, and the shape of the body, are those of the store's provider; this is the generic one. What is
    not understood is kept and answered with 202 all the same.
    """
    is_new = await receive(store, request.headers, await request.body())
    return Response(Received(True), status_code=202 if is_new else 200)
