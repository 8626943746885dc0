"""The least an ASGI server can do: the limit our own routes are compared with, on the same core in the same run."""


async def answer(scope, receive, send):
    if scope["type"] == "lifespan":
        while (message := await receive())["type"] != "lifespan.shutdown":
            await send({"type": message["type"] + ".complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    status = 200 if scope["path"] == "/healthz" else 302
    await send({"type": "http.response.start", "status": status, "headers": [(b"location", b"https://shop.example/")]})
    await send({"type": "http.response.body", "body": b""})
