"""Mail to members, over the SMTP server that is set up. Sent from jobs, so that a server that is away costs nothing."""

import asyncio
import smtplib
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

from app.settings import settings

SECONDS = 20


def is_set_up() -> bool:
    return bool(settings().smtp_url)


async def send(to: str, subject: str, text: str) -> None:
    """One plain mail; raises what smtplib raises, so that the job tries again."""
    message = EmailMessage()
    host = urlsplit(settings().base_url).hostname or "localhost"
    message["From"], message["To"], message["Subject"] = f"Grapevine <no-reply@{host}>", to, subject
    message.set_content(text)
    await asyncio.to_thread(_send, message)


def _send(message: EmailMessage) -> None:
    server = urlsplit(settings().smtp_url)
    connect = smtplib.SMTP_SSL if server.scheme == "smtps" else smtplib.SMTP
    with connect(server.hostname or "localhost", server.port or 0, timeout=SECONDS) as smtp:
        if server.username:
            if server.scheme == "smtp":
                smtp.starttls()
            smtp.login(unquote(server.username), unquote(server.password or ""))
        smtp.send_message(message)
