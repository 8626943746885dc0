from urllib.parse import quote

from litestar import Controller, Request, Response, get, post, put
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery

from app import clock
from app.auth import Viewer, require_member
from app.errors import Conflict, Gone, Invalid, NotFound
from app.i18n import gettext as _
from app.openapi import door
from app.paging import limit_of
from app.web import json_body
from community.media.api import MOST_BODY_BYTES
from community.media.pictures import MOST_BYTES, too_large
from referrals.bounties import examples, proofs, queries, service, views, watch_queries
from referrals.bounties.schemas import (
    BountyList,
    BountyOffer,
    BountyView,
    FileView,
    NewSubmission,
    SeenFigure,
    SeenFigures,
    SubmissionList,
    SubmissionView,
    Verdict,
)
from referrals.programs.queries import program_of
from storefront.stores.policy import access_own_store


class BountyApi(Controller):
    path = "/earn/bounties"
    tags = ["earn"]

    @get(summary="Bounties that take work", opt=door(gives=examples.bounties, scope="read"))
    async def index(
        self,
        viewer: NamedDependency[Viewer],
        after: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> BountyList:
        """What closes first stands first."""
        member_id = require_member(viewer, "read")
        found = await queries.open_bounties(clock.now(), cursor=after, limit=limit_of(limit))
        return BountyList(await views.bounty_views(found.items, member_id), found.next)

    @get("/{bounty_id:int}", summary="A bounty, and what you handed in", opt=door(gives=examples.bounty, scope="read"))
    async def read(self, viewer: NamedDependency[Viewer], bounty_id: FromPath[int]) -> BountyView:
        member_id = require_member(viewer, "read")
        return await _bounty(bounty_id, member_id)

    @post(
        "/{bounty_id:int}/files",
        summary="Bring in a proof for a bounty",
        status_code=201,
        request_max_body_size=MOST_BODY_BYTES,
        opt=door(file="file", gives=examples.file, scope="write"),
    )
    async def bring(
        self, request: Request, viewer: NamedDependency[Viewer], bounty_id: FromPath[int]
    ) -> Response[FileView]:
        """Multipart, field `file`: a picture, which is re-encoded, or a PDF, up to 10 MB. You and, once it is handed
        in, the store's people see it; what is not handed in is gone after a day."""
        require_member(viewer)
        given = await files_of(request, "file", most=1)
        if not given:
            raise Invalid("file", _("Please choose a picture."))
        return Response(views.file_view(await proofs.bring(viewer, bounty_id, *given[0])), status_code=201)

    @get("/files/{file_id:int}", include_in_schema=False)
    async def show(self, viewer: NamedDependency[Viewer], file_id: FromPath[int]) -> Response[bytes]:
        return await file_answer(viewer, file_id)

    @put(
        "/{bounty_id:int}/submission",
        summary="Hand in your work for a bounty",
        opt=door(takes=examples.work, gives=examples.handed_in, refuses=(Conflict, Gone), scope="write"),
    )
    async def hand_in(
        self, request: Request, viewer: NamedDependency[Viewer], bounty_id: FromPath[int]
    ) -> SubmissionView:
        """Once, or once a period. While it is looked at it stays as it is; declined, it may come again, better. A post
        on a platform that we can ask must be by a channel that you have proven: its figure comes by itself."""
        require_member(viewer)
        made = await service.hand_in(viewer, bounty_id, await json_body(request, NewSubmission))
        return await _submission(made)

    @get(
        "/submissions/{submission_id:int}/figures",
        summary="Every figure we saw of the post you handed in",
        opt=door(gives=examples.figures, scope="read"),
    )
    async def figures(
        self,
        viewer: NamedDependency[Viewer],
        submission_id: FromPath[int],
        after: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> SeenFigures:
        """When, which and from where, the newest first; for you and the store's people."""
        found = await watch_queries.figures_of(
            submission_id,
            require_member(viewer, "read"),
            is_admin=viewer.is_admin,
            cursor=after,
            limit=limit_of(limit),
        )
        return SeenFigures(
            [SeenFigure(x["metric"], x["figure"], x["source"], x["at"]) for x in found.items], found.next
        )


class StoreBountyApi(Controller):
    path = "/stores/{slug:str}/bounties"
    tags = ["earn"]

    @post(
        summary="Offer a bounty",
        status_code=201,
        opt=door(takes=examples.offer, gives=examples.bounty, scope="write"),
    )
    async def offer(
        self, request: Request, viewer: NamedDependency[Viewer], slug: FromPath[str]
    ) -> Response[BountyView]:
        """`most_awards` times `pays` is the most it can cost."""
        member_id = require_member(viewer)
        made = await service.offer(viewer, slug, await json_body(request, BountyOffer))
        return Response(await _bounty(made, member_id), status_code=201)

    @get(
        "/submissions",
        summary="Work handed in for your bounties",
        opt=door(gives=examples.submissions, scope="read"),
    )
    async def submissions(
        self,
        viewer: NamedDependency[Viewer],
        slug: FromPath[str],
        show: FromQuery[str | None] = None,
        after: FromQuery[str | None] = None,
        limit: FromQuery[int | None] = None,
    ) -> SubmissionList:
        """What waits for you first, then what still grows; `show` keeps to `waiting`, `approved` or `declined`."""
        require_member(viewer, "read")
        store = await access_own_store(viewer, slug)
        program = await program_of(store["id"])
        if program is None:
            return SubmissionList([], None)
        wanted = show if show in ("waiting", "approved", "declined") else ""
        found = await queries.submissions_to(program["id"], state=wanted, cursor=after, limit=limit_of(limit))
        return SubmissionList(await views.submission_views(found.items, to_shop=True), found.next)

    @put(
        "/submissions/{submission_id:int}/verdict",
        summary="Approve handed-in work, which pays, or decline it",
        opt=door(takes=examples.verdict, gives=examples.decided, refuses=(Conflict,), scope="write"),
    )
    async def decide(
        self,
        request: Request,
        viewer: NamedDependency[Viewer],
        slug: FromPath[str],
        submission_id: FromPath[int],
    ) -> SubmissionView:
        """`verdict` is `approved` or, with a `reason`, `declined`. Nobody decides on their own work."""
        require_member(viewer)
        await service.decide(viewer, slug, submission_id, await json_body(request, Verdict))
        return await _submission(submission_id, to_shop=True)


async def files_of(request: Request, field: str, *, most: int) -> list[tuple[bytes, str]]:
    """The files of a multipart form with their names, bounded."""
    given = [one for one in (await request.form()).getall(field, []) if isinstance(one, UploadFile) and one.filename]
    if len(given) > most:
        raise Invalid(field, _("At most %(n)s files.", n=most))
    files = []
    for one in given:
        raw = await one.read(MOST_BYTES + 1)
        if len(raw) > MOST_BYTES:
            raise too_large()
        files.append((raw, one.filename))
    return files


async def file_answer(viewer: Viewer, file_id: int) -> Response[bytes]:
    """The bytes: a picture to look at, a PDF only to save. Nobody's words run here."""
    row, content = await proofs.content_of(viewer, file_id)
    how = "inline" if row["media_type"].startswith("image/") else "attachment"
    # Our own names are plain, but may be Chinese: RFC 5987 says how a header carries them.
    named = f"{how}; filename*=UTF-8''{quote(row['name'], safe='')}"
    return Response(
        content,
        media_type=row["media_type"],
        headers={
            "Cache-Control": "private, no-store",
            "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
            "Content-Disposition": named,
        },
    )


async def _bounty(bounty_id: int, member_id: int) -> BountyView:
    row = await queries.bounty(bounty_id)
    if row is None:
        raise NotFound()
    return (await views.bounty_views([row], member_id))[0]


async def _submission(submission_id: int, *, to_shop: bool = False) -> SubmissionView:
    return (await views.submission_views([await queries.submission(submission_id)], to_shop=to_shop))[0]
