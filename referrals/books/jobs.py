from app import db
from app.events import on
from app.jobs import every
from community.notifications.service import notify
from referrals.books import service
from referrals.books.events import BooksDrifted, CheckAsked


@every("41 3 * * *")
async def check_the_books() -> None:
    await service.check_books()


@on(CheckAsked)
async def check_when_asked(event: CheckAsked) -> None:
    await service.check_books(event.member_id)


@on(BooksDrifted)
async def wake_the_admins(event: BooksDrifted) -> None:
    for admin in await db.fetch("SELECT id FROM member WHERE role = 'admin' ORDER BY id"):
        await notify(
            admin["id"],
            "books_drifted",
            source=f"books:{event.check_id}",
            url="/admin/books",
            data={"errors": event.errors, "first": event.first},
        )
