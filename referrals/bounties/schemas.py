import msgspec


class NewBounty(msgspec.Struct):
    title: str = ""
    brief: str = ""
    amount: str = ""
    currency: str = ""
    most_awards: int = 1
    closes_on: str = ""


class NewSubmission(msgspec.Struct):
    proof_url: str = ""
    note: str = ""
    reach: int = 0


class Verdict(msgspec.Struct):
    verdict: str = ""
    reason: str = ""
