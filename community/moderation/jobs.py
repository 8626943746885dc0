from app.events import on
from app.text import excerpt
from community.moderation import queries
from community.moderation.events import SubjectHidden, SubjectKept, SubjectRestored
from community.notifications.service import notify

LOG = "/moderation/log"


@on(SubjectHidden)
async def tell_of_hiding(event: SubjectHidden) -> None:
    await _tell(event.case_id, event.reason, "hidden", tell_author=True)


@on(SubjectKept)
async def tell_of_keeping(event: SubjectKept) -> None:
    await _tell(event.case_id, event.reason, "kept", tell_author=False)


@on(SubjectRestored)
async def tell_of_restoring(event: SubjectRestored) -> None:
    await _tell(event.case_id, event.reason, "restored", tell_author=True)


async def _tell(case_id: int, reason: str, outcome: str, *, tell_author: bool) -> None:
    """The author learns what happened and why; whoever reported it learns the outcome."""
    case = await queries.case(case_id)
    if case is None:
        return
    url = f"{LOG}?subject={case['subject_kind']}:{case['subject_id']}"
    data = {"kind": case["subject_kind"], "reason": reason, "excerpt": excerpt(case["excerpt"], 120)}
    if tell_author and case["author_id"]:
        await notify(case["author_id"], f"moderation_{outcome}", source=f"case:{case_id}:{outcome}", url=url, data=data)
    for reporter_id in await queries.reporters_of(case_id):
        if reporter_id != case["author_id"]:
            await notify(
                reporter_id, f"report_{outcome}", source=f"case:{case_id}:report:{outcome}", url=url, data=data
            )
