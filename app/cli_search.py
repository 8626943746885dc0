"""`grapevine search …`: the index."""

import click
from rich.progress import Progress

from app.cli import as_json, tell, with_database


@click.group()
def search() -> None:
    """Search."""


@search.command(name="reindex", epilog="Example: grapevine search reindex --json")
@as_json
@with_database
async def reindex(json_output: bool) -> None:
    """Make the search index anew from the rows. Searching goes on meanwhile."""
    from rich.console import Console

    from search.documents import how_many
    from search.service import reindex as make_anew

    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal) as bar:
        task = bar.add_task("Indexing", total=await how_many())
        done = await make_anew(lambda n: bar.advance(task, n))
    tell({"indexed": done, "total": sum(done.values())}, json_output, _sentence(done))


def _sentence(done: dict[str, int]) -> str:
    return "Indexed: " + ", ".join(f"{n:,} {kind}s" for kind, n in done.items()) + "."
