"""What the JSON doors take and give, as the OpenAPI document shows it."""

from referrals.fraud.schemas import CaseList, CaseView, CheckList, CheckView, EvidenceView, Said, Verdict

check = CheckView(
    id="7",
    store="Northfold",
    state="open",
    reason="household",
    words="This looks like a purchase of your own household",
    opened_at="2026-03-14T09:26:53+00:00",
    due_at="2026-03-17T09:26:53+00:00",
    decision="",
    commissions=["8"],
)
checks = CheckList([check], None)
answer = Said("My aunt lives with us; she asked me which grinder to take.")
case = CaseView(
    id="7",
    member="bob",
    rule="own_address",
    state="open",
    opened_at="2026-03-14T09:26:53+00:00",
    due_at="2026-03-17T09:26:53+00:00",
    is_late=False,
    commissions=["8"],
    evidence=[EvidenceView("2026-03-14T09:26:53+00:00", "It stands on 1 order of the member’s own.")],
)
cases = CaseList([case], None)
verdict = Verdict("clear", "A flat-mate bought it, and that is fine.")
