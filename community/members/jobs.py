from app.events import on
from community.members import emails
from community.members.events import EmailProofWanted, MemberJoined


@on(MemberJoined)
async def greet_by_mail(event: MemberJoined) -> None:
    await emails.send_proof(event.member_id)


@on(EmailProofWanted)
async def send_proof(event: EmailProofWanted) -> None:
    await emails.send_proof(event.member_id)
