"""Mail to members, over the SMTP server that is set up. Sent from jobs, so that a server that is away costs nothing."""

from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

import aiosmtplib

from app.settings import settings

SECONDS = 20


def is_set_up() -> bool:
    return bool(settings().smtp_url)


async def send(to: str, subject: str, text: str) -> None:
    """One plain mail; raises what aiosmtplib raises, so that the job tries again."""
    message = EmailMessage()
    host = urlsplit(settings().base_url).hostname or "localhost"
    message["From"], message["To"], message["Subject"] = f"Grapevine <no-reply@{host}>", to, subject
    message.set_content(text)
    server = urlsplit(settings().smtp_url)
    user = unquote(server.username or "") or None
    await aiosmtplib.send(
        message,
        hostname=server.hostname,
        port=server.port,
        username=user,
        password=unquote(server.password or "") if user else None,
        use_tls=server.scheme == "smtps",
        # A password never goes over an open line.
        start_tls=True if user and server.scheme == "smtp" else None,
        timeout=SECONDS,
    )
