"""The same text to many sockets: framed once, and written to each line as it is.

uvicorn frames a text anew for every socket, which is most of what handing it out costs. So where a line is uvicorn's
own, open, and takes bytes at the moment, the finished frame goes to its transport. Everything else goes the usual way
through ASGI `send`: other servers, lines that close, slow readers, and any uvicorn that looks different inside.
"""

from typing import Any

from litestar.types import Send
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.protocol import OPEN

_text, _framed = "", b"\x81\x00"


def framed(text: str) -> bytes:
    """The WebSocket frame of a text; the last one is remembered, as it goes to everybody in turn."""
    global _text, _framed
    if text is not _text:
        payload = text.encode()
        size = len(payload)
        if size < 126:
            head = bytes((0x81, size))
        elif size < 65_536:
            head = b"\x81\x7e" + size.to_bytes(2, "big")
        else:
            head = b"\x81\x7f" + size.to_bytes(8, "big")
        _text, _framed = text, head + payload
    return _framed


def line_of(send: Send) -> Any:
    """The line behind an ASGI `send`, when finished frames may be written to it; None otherwise."""
    line = getattr(send, "__self__", None)
    if not isinstance(line, WebSocketsSansIOProtocol) or line.conn.extensions:
        return None
    return line


def write(line: Any, text: str) -> bool:
    """Write the text to the line if it takes it now; False: it must go the usual way."""
    if line.conn.state is not OPEN or line.disconnected or line.close_sent or not line.handshake_complete:
        return False
    if not line.writable.is_set() or line.transport.is_closing():
        return False
    line.transport.write(framed(text))
    return True
