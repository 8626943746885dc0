import asyncio

from litestar import Request, Response, post
from litestar.params import FromPath

from app.errors import TooLarge, TooMany
from app.limits import limit
from app.openapi import door
from storefront.connectors import examples
from storefront.connectors.schemas import BadSignature, Received, SameIdOtherBody, TooSlow
from storefront.connectors.service import receive

MOST_BYTES = 1024 * 1024
BODY_SECONDS = 10
MOST_FORGED_A_MINUTE = 60


@post(
    "/webhooks/{store:str}",
    summary="A store's signed message",
    tags=["webhooks"],
    request_max_body_size=MOST_BYTES,
    opt={"csrf_exempt": True}
    | door(
        takes=examples.order_paid,
        gives=examples.received,
        refuses=(BadSignature, TooSlow, SameIdOtherBody, TooLarge, TooMany),
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
    try:
        # A sender that says a byte now and then may not hold a connection for ever.
        async with asyncio.timeout(BODY_SECONDS):
            body = await request.body()
    except TimeoutError as error:
        raise TooSlow() from error
    try:
        is_new = await receive(store, request.headers, body)
    except BadSignature:
        # Counted only when forged: whoever else sits behind the same address goes on being heard.
        await limit("forged-webhook", f"{store}:{_sender(request)}", most=MOST_FORGED_A_MINUTE, per=60)
        raise
    return Response(Received(True), status_code=202 if is_new else 200)


def _sender(request: Request) -> str:
    return request.client.host if request.client else ""
