"""Pictures of the demo, drawn by us: one for each product, and a small landscape for each member."""

from random import Random

from demo.brush import Board, colour
from demo.content.model import Product
from demo.drawings import OUTDOORS
from demo.drawings_home import INDOORS

DRAWINGS = OUTDOORS | INDOORS


def product_picture(product: Product, size: int = 560) -> bytes:
    """A WebP of what the product looks like."""
    board = Board(product.hue, size)
    DRAWINGS[product.drawing](board)
    return board.webp()


def portrait(handle: str, size: int = 256) -> bytes:
    """A WebP of a place that could be this member's: hills, a sea, a tree, a sky, always the same for a handle."""
    rng = Random(handle)
    board = Board(rng.randrange(360), size)
    sky = colour(board.hue, 0.80, 0.50)
    board.box(0, 0, 100, 100, sky)
    x, y, r = rng.uniform(20, 80), rng.uniform(18, 40), rng.uniform(8, 15)
    board.oval(x - r, y - r, x + r, y + r, colour(board.hue + rng.choice((30, 165, 190)), 0.82, 0.75))
    rng.choice((_hills, _sea, _trees))(board, rng)
    return board.webp()


def _hills(board: Board, rng: Random) -> None:
    for n, tone in enumerate((board.light, board.main, board.dark)):
        base = 48 + n * 14
        peaks = [(0.0, 100.0)]
        peaks += [(step * 16.7, base + rng.uniform(-12, 8)) for step in range(7)]
        board.shape([*peaks, (100, 100)], tone)


def _sea(board: Board, rng: Random) -> None:
    board.box(0, 58, 100, 100, board.main)
    for n in range(7):
        y, x = 62 + n * 5.5, rng.uniform(0, 60)
        board.line([(x, y), (x + rng.uniform(14, 40), y)], board.light if n % 2 else board.pale, 1.6)
    x = rng.uniform(25, 70)
    board.shape([(x, 32), (x + 14, 56), (x, 56)], board.cream)
    board.shape([(x - 12, 59), (x + 18, 59), (x + 10, 67), (x - 6, 67)], board.deep)


def _trees(board: Board, rng: Random) -> None:
    board.shape([(0, 74), (40, 66), (100, 76), (100, 100), (0, 100)], board.dark)
    for x in sorted(rng.uniform(8, 92) for _ in range(5)):
        height = rng.uniform(26, 46)
        board.line([(x, 78), (x, 78 - height * 0.5)], board.bark, 2)
        board.shape([(x - 9, 74 - height * 0.2), (x + 9, 74 - height * 0.2), (x, 74 - height)], board.main)
        board.shape([(x - 7, 74 - height * 0.5), (x + 7, 74 - height * 0.5), (x, 70 - height)], board.light)
