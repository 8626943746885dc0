"""A guide as its author types it: Markdown, and a line `[[product:slug]]` where a product goes.

Below such a line, until the next empty one: `+ what is good`, `- what is not`, and why the product is here.
"""

import re

from content.guides.schemas import Block, Heading, Pick, Text

_PRODUCT = re.compile(r"\[\[product:\s*([^\]\s]+)\s*\]\]")
_HEADING = re.compile(r"#{1,3}\s+(.+)")


def blocks_of(source: str) -> list[Block]:
    """Blocks in order. A pick holds the slug in `product`: the service finds the product behind it."""
    blocks: list[Block] = []
    text: list[str] = []
    pick: Pick | None = None
    fenced = False

    def end_text() -> None:
        if joined := "\n".join(text).strip():
            blocks.append(Text(joined))
        text.clear()

    for line in source.replace("\r\n", "\n").split("\n"):
        bare = line.strip()
        if bare.startswith("```"):
            fenced = not fenced
        if not fenced and (found := _PRODUCT.fullmatch(bare)):
            end_text()
            pick = Pick(found[1])
            blocks.append(pick)
        elif pick is not None and bare and not _HEADING.fullmatch(bare):
            _say_of(pick, bare)
        elif not fenced and (found := _HEADING.fullmatch(bare)):
            pick = None
            end_text()
            blocks.append(Heading(found[1].strip()))
        else:
            pick = None
            text.append(line)
    end_text()
    return blocks


def source_of(blocks: list[Block], slugs: dict[str, str]) -> str:
    """The same blocks to edit again; `slugs` by product id."""
    return "\n\n".join(_typed(block, slugs) for block in blocks)


def _say_of(pick: Pick, line: str) -> None:
    if line.startswith("+"):
        pick.pros.append(line[1:].strip())
    elif line.startswith(("- ", "−", "–")):
        pick.cons.append(line[1:].strip())
    else:
        pick.why = f"{pick.why} {line}".strip()


def _typed(block: Block, slugs: dict[str, str]) -> str:
    if isinstance(block, Heading):
        return f"## {block.text}"
    if isinstance(block, Text):
        return block.markdown
    lines = [f"[[product:{slugs.get(block.product, block.product)}]]", block.why]
    lines += [f"+ {point}" for point in block.pros] + [f"- {point}" for point in block.cons]
    return "\n".join(line for line in lines if line)
