from litestar import Request, Response, post
from litestar.params import FromPath

from storefront.connectors.service import receive

MOST_BYTES = 1024 * 1024


@post(
    "/webhooks/{store:str}",
    summary="A store's signed message",
    tags=["webhooks"],
    request_max_body_size=MOST_BYTES,
    opt={"csrf_exempt": True},
    status_code=202,
)
async def receive_webhook(request: Request, store: FromPath[str]) -> Response[dict[str, bool]]:
    """202 once it is durable, 200 when it was here before, 401 unsigned, 409 the same id with another body."""
    is_new = await receive(store, request.headers, await request.body())
    return Response({"received": True}, status_code=202 if is_new else 200)
