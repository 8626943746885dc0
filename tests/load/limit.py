"""The least an ASGI server can do: the limit our own routes are compared with, on the same core in the same run."""


async def answer(scope, receive, send):
    if scope["type"] == "lifespan":
        while (message := await receive())["type"] != "lifespan.shutdown":
            await send({"type": message["type"] + ".complete"})
        await send({"type": "lifespan.shutdown.complete"})
        return
    await send({"type": "http.response.start", "status": 302, "headers": [(b"location", b"https://shop.example/")]})
    await send({"type": "http.response.body", "body": b""})
