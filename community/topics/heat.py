"""What is hot: how much a topic is talked about, on a scale on which ten times the talk is worth two days of age.

    heat = log10(1 + 2 x replies + reactions) + days / 2

`days` runs from the start of 2026 to the moment halfway between opening and the latest post: a reply lifts an old
topic, but half as far as a new topic starts. The value depends on the row alone, so it is kept in the row, by the
transaction that changes it; nothing has to be recomputed as time goes by.
"""

EPOCH = "timestamptz '2026-01-01 00:00+00'"


def heat(posts: str, reactions: str, created: str, active: str) -> str:
    """The formula as SQL over these expressions."""
    return (
        f"(log(1 + 2 * greatest({posts} - 1, 0) + greatest({reactions}, 0)) "
        f"+ extract(epoch FROM {created} - {EPOCH} + ({active} - {created}) / 2) / 172800)::real"
    )
