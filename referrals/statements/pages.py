import msgspec
from litestar import Controller, MediaType, Request, Response, get
from litestar.di import NamedDependency
from litestar.params import FromPath
from litestar.response import Stream

from app.auth import Viewer, require_member
from app.web import page
from referrals.commissions.reasons import bucket_words
from referrals.statements import queries, service

ON_A_PAGE = 200


class StatementPages(Controller):
    path = "/earn/statements"
    include_in_schema = False

    @get()
    async def index(self, request: Request, viewer: NamedDependency[Viewer]) -> Response:
        months = await service.months_of(require_member(viewer))
        return page(request, viewer, "referrals/statements/index.html", months=months)

    @get("/{month:str}")
    async def show(self, request: Request, viewer: NamedDependency[Viewer], month: FromPath[str]) -> Response:
        """`?currency=` one of the month's, `after=` for the next page of entries."""
        member_id = require_member(viewer)
        currencies = await _currencies(member_id, month)
        currency = await service.currency_for(member_id, month, request.query_params.get("currency"))
        statement = await service.statement_of(
            member_id,
            viewer.handle,
            month,
            currency,
            after=request.query_params.get("after"),
            limit=ON_A_PAGE,
        )
        return page(
            request,
            viewer,
            "referrals/statements/show.html",
            statement=statement,
            currencies=currencies,
            bucket_words=bucket_words,
        )

    @get("/{month:str}/{name:str}")
    async def download(
        self, viewer: NamedDependency[Viewer], month: FromPath[str], name: FromPath[str]
    ) -> Stream | Response[bytes]:
        """The statement as a file: /earn/statements/2026-03/USD.csv, or .json for the proof."""
        member_id = require_member(viewer)
        currency, ending = service.file_of(month, name)
        headers = {
            "content-disposition": f'attachment; filename="statement-{month}-{currency}.{ending}"',
            "cache-control": "no-store",
        }
        if ending == "csv":
            sheet = service.sheet_of(member_id, month, currency)
            return Stream(sheet, media_type="text/csv; charset=utf-8", headers=headers)
        proof = await service.proof_of(member_id, viewer.handle, month, currency)
        return Response(msgspec.json.encode(proof), media_type=MediaType.JSON, headers=headers)


async def _currencies(member_id: int, month: str) -> list[str]:
    return [row["currency"] for row in await queries.months_of(member_id) if row["month"] == month]
