from app.events import on
from community.sessions import passwords
from community.sessions.events import PasswordForgotten


@on(PasswordForgotten)
async def mail_the_way_back(event: PasswordForgotten) -> None:
    await passwords.send_link(event.member_id)
