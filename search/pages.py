import msgspec
from litestar import Request, Response, get
from litestar.di import NamedDependency
from markupsafe import Markup

from app.auth import Viewer
from app.web import page
from content.reviews.evidence import shown
from search.engine import KINDS
from search.pace import not_too_often
from search.service import LONGEST_QUESTION, search


@get("/search", include_in_schema=False)
async def search_page(request: Request, viewer: NamedDependency[Viewer]) -> Response:
    """Everything that fits, by kind. A question longer than its field is cut, not refused."""
    await not_too_often(request, viewer)
    text = (asked(request, "q") or "")[:LONGEST_QUESTION]
    kind = asked(request, "kind")
    kind = kind if kind in (*KINDS, "message") else None
    group, product, room = asked(request, "group"), asked(request, "product"), asked(request, "room")
    sort = "new" if asked(request, "sort") == "new" else ""
    found = await search(
        viewer,
        text,
        kind=kind,
        group=group,
        product=product,
        room=room,
        newest=sort == "new",
        cursor=asked(request, "after"),
    )
    return page(
        request,
        viewer,
        "search/results.html",
        # The time it took is on no page, and would make every answer another one.
        made_from=(msgspec.structs.replace(found, took_ms=0), text, kind, group, product, room, sort),
        q=text,
        kind=kind or "",
        sort=sort,
        kept={name: slug for name, slug in (("group", group), ("product", product), ("room", room)) if slug},
        found=found,
        safe=Markup,
        evidence=lambda hit: shown({"evidence": hit.evidence, "evidence_since": hit.evidence_since}),
    )


def asked(request: Request, name: str) -> str | None:
    """One parameter of the address, the last one when it is there twice; None when missing or empty."""
    given = request.query_params.getall(name, [])
    return (given[-1].strip() or None) if given else None
