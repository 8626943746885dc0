"""How the things in the shops look: garden, repair, kitchen, table and bathroom."""

from collections.abc import Callable

from demo.brush import Board, colour

LEAF = colour(115, 0.42, 0.40)
SPROUT = colour(100, 0.56, 0.45)


def planter(b: Board) -> None:
    b.shadow(12, 88, 80)
    for n, x in enumerate((22, 34, 46, 58, 70, 79)):
        top = 30 + (n * 7) % 13
        b.line([(x, 56), (x, top + 6)], LEAF, 1.6)
        b.oval(x - 7, top, x + 1, top + 11, SPROUT)
        b.oval(x - 1, top + 5, x + 7, top + 16, LEAF)
    for x in (30, 52, 74):
        b.oval(x - 3, 42, x + 3, 48, b.accent)
    b.shape([(12, 54), (88, 54), (83, 80), (17, 80)], b.main)
    b.box(10, 52, 90, 59, b.dark, 2)


def trowel(b: Board) -> None:
    b.shadow(22, 78, 80)
    b.line([(68, 22), (54, 42)], b.wood, 7)
    b.line([(54, 42), (48, 51)], b.steel, 3.6)
    b.shape([(54, 48), (43, 43), (26, 62), (25, 76), (39, 73), (57, 56)], b.steel)
    b.shape([(48, 47), (43, 43), (26, 62), (25, 76)], b.iron)
    for n in range(4):
        b.line([(41 - n * 4, 62 + n * 3), (44 - n * 4, 65 + n * 3)], b.deep, 0.8)


def can(b: Board) -> None:
    b.shadow(18, 80, 78)
    b.line([(60, 66), (84, 34)], b.dark, 4)
    b.oval(78, 27, 92, 37, b.deep)
    b.arc(18, 26, 50, 66, 130, 330, b.dark, 3.4)
    b.box(28, 44, 64, 78, b.main, 5)
    b.box(28, 44, 37, 78, b.light, 5)
    b.box(26, 42, 66, 47, b.dark, 2)
    for x, y in ((88, 43), (92, 48), (86, 51)):
        b.oval(x - 1, y, x + 1, y + 3.4, b.light)


def tray(b: Board) -> None:
    b.shadow(12, 88, 78)
    b.shape([(14, 58), (86, 58), (80, 78), (20, 78)], b.main)
    for row in range(2):
        for n in range(6):
            x, y = 20 + n * 11 - row, 56 + row * 10
            b.box(x, y, x + 8.5, y + 7, b.bark, 1.5)
            b.line([(x + 4, y + 2), (x + 4, y - 7)], LEAF, 1.1)
            b.oval(x, y - 11, x + 4.2, y - 6, SPROUT)
            b.oval(x + 4, y - 11, x + 8.2, y - 6, LEAF)
    b.arc(12, 22, 88, 92, 190, 350, b.light, 1.6)


def roll(b: Board) -> None:
    b.shadow(12, 88, 76)
    b.box(14, 38, 86, 75, b.main, 4)
    b.box(14, 38, 86, 46, b.dark, 3)
    for n, tone in enumerate((b.steel, b.wood, b.accent, b.cream, b.iron)):
        x = 21 + n * 13
        b.box(x, 28, x + 6, 60, tone, 2.5)
        b.box(x - 2, 52, x + 8, 70, b.light, 1.5)
    b.line([(14, 74), (6, 80)], b.deep, 1.8)


def needle(b: Board) -> None:
    b.shadow(20, 80, 80)
    b.slice(22, 30, 62, 74, 180, 360, b.wood)
    b.box(37, 50, 47, 80, b.bark, 4)
    b.box(60, 56, 84, 80, b.main, 4)
    for n in range(5):
        b.line([(60, 59 + n * 4.4), (84, 57 + n * 4.8)], b.light, 1.2)
    b.line([(66, 26), (80, 50)], b.steel, 1.8)
    b.arc(60, 16, 76, 46, 120, 330, b.accent, 1.4)


def tape(b: Board) -> None:
    b.shadow(22, 84, 78)
    b.oval(22, 24, 76, 78, b.main)
    b.ring(26, 28, 72, 74, b.light, 1.2)
    b.oval(36, 38, 62, 64, b.pale)
    b.ring(36, 38, 62, 64, b.dark, 1.6)
    b.shape([(49, 78), (86, 78), (90, 70), (60, 70)], b.dark)


def bar(b: Board) -> None:
    b.shadow(18, 82, 74)
    b.box(20, 44, 80, 73, b.main, 5)
    b.box(20, 44, 80, 52, b.light, 5)
    b.box(36, 40, 64, 75, b.cream, 2)
    for x in (44, 50, 56):
        b.oval(x - 3, 54, x + 3, 60, b.accent)
    b.oval(47, 49, 53, 55, b.accent)


def teapot(b: Board) -> None:
    b.shadow(20, 80, 77)
    b.shape([(66, 54), (88, 36), (92, 40), (72, 68)], b.main)
    b.arc(8, 42, 36, 70, 60, 300, b.dark, 4.5)
    b.oval(24, 38, 76, 78, b.main)
    b.oval(29, 43, 46, 64, b.light)
    b.slice(32, 30, 68, 54, 180, 360, b.dark)
    b.oval(46, 24, 54, 32, b.dark)


def gaiwan(b: Board) -> None:
    b.shadow(16, 84, 78)
    b.slice(28, 22, 72, 78, 0, 180, b.steel)
    b.slice(32, 34, 68, 74, 0, 180, colour(48, 0.66, 0.60))
    b.shape([(42, 62), (52, 58), (56, 66), (48, 70)], LEAF)
    b.slice(31, 36, 69, 60, 180, 360, b.light)
    b.oval(46, 32, 54, 39, b.dark)
    b.oval(24, 46, 76, 52, b.pale)
    b.box(32, 74, 68, 78, b.dark, 2)
    for x in (12, 76):
        b.slice(x, 58, x + 14, 86, 0, 180, b.light)


def tin(b: Board) -> None:
    b.shadow(30, 70, 86)
    b.box(31, 28, 69, 86, b.main, 4)
    b.box(29, 18, 71, 34, b.dark, 5)
    b.box(31, 46, 69, 72, b.cream, 0)
    b.shape([(50, 49), (58, 59), (50, 69), (42, 59)], LEAF)
    b.line([(50, 50), (50, 68)], b.cream, 0.9)
    b.box(34, 34, 38, 86, b.light, 1)


def pan(b: Board) -> None:
    b.shadow(10, 70, 76)
    b.line([(62, 48), (92, 30)], b.iron, 5)
    b.oval(10, 36, 70, 76, b.deep)
    b.oval(14, 39, 66, 71, b.iron)
    b.oval(28, 46, 52, 64, b.cream)
    b.oval(36, 51, 46, 59, colour(42, 0.60, 0.85))


def bowls(b: Board) -> None:
    b.shadow(24, 76, 82)
    for n, tone in enumerate((b.dark, b.main, b.light, b.pale)):
        y = 42 - n * 7
        b.slice(22 + n, y - 4, 78 - n, y + 40, 0, 180, tone)
        b.oval(22 + n, y + 13, 78 - n, y + 21, b.cream if n == 3 else tone)
    b.box(40, 74, 60, 82, b.deep, 2)


def knife(b: Board) -> None:
    b.shadow(16, 84, 70)
    b.shape([(12, 56), (56, 42), (60, 52), (34, 60)], b.steel)
    b.line([(14, 56), (57, 43.5)], b.iron, 1.2)
    b.line([(60, 47), (86, 38)], b.bark, 8)
    for x, y in ((66, 45), (74, 42), (82, 39)):
        b.oval(x - 1, y - 1, x + 1, y + 1, b.cream)
    b.oval(30, 66, 44, 80, b.accent)
    b.line([(37, 67), (39, 62)], LEAF, 1.6)


def drainer(b: Board) -> None:
    b.shadow(14, 86, 78)
    for n in range(3):
        x = 30 + n * 16
        b.oval(x - 8, 28, x + 14, 70, b.pale)
        b.ring(x - 4, 36, x + 10, 62, b.light, 1.2)
    b.line([(16, 46), (22, 76), (80, 76), (86, 46)], b.iron, 2.2)
    b.line([(19, 60), (83, 60)], b.iron, 1.6)
    for x in range(24, 84, 8):
        b.line([(x, 60), (x, 76)], b.iron, 1.2)


def jars(b: Board) -> None:
    b.shadow(14, 88, 82)
    fills = (colour(40, 0.70, 0.55), colour(20, 0.45, 0.45), colour(48, 0.85, 0.50))
    for n, fill in enumerate(fills):
        x, top = 16 + n * 24, 34 + (n % 2) * 8
        b.box(x, top, x + 22, 82, b.pale, 3)
        b.box(x + 2, top + 14, x + 20, 80, fill, 2)
        b.box(x - 1, top - 5, x + 23, top + 3, b.main, 2)


def scale(b: Board) -> None:
    b.shadow(14, 86, 78)
    b.slice(28, 20, 72, 70, 0, 180, b.cream)
    b.oval(28, 42, 72, 48, b.pale)
    b.box(14, 68, 86, 78, b.main, 4)
    b.box(14, 68, 86, 72, b.light, 3)
    b.box(60, 73, 80, 77, b.deep, 1)


def board(b: Board) -> None:
    b.shadow(12, 88, 76)
    b.box(14, 36, 86, 74, b.bark, 5)
    for row in range(3):
        for n in range(6):
            tone = b.wood if (n + row) % 2 else colour(34, 0.68, 0.42)
            b.box(15 + n * 11.8, 36 + row * 11, 26 + n * 11.8, 46 + row * 11, tone, 1)
    b.box(22, 40, 32, 44, b.bark, 2)
    b.oval(62, 48, 78, 64, b.main)
    b.oval(66, 51, 74, 60, b.light)


def tower(b: Board) -> None:
    b.shadow(22, 78, 88)
    b.line([(30, 22), (24, 87)], b.wood, 4.5)
    b.line([(70, 22), (76, 87)], b.wood, 4.5)
    b.line([(29, 24), (71, 24)], b.wood, 4)
    b.line([(28, 40), (72, 40)], b.bark, 3)
    b.box(26, 58, 74, 63, b.main, 1.5)
    b.box(24, 74, 76, 79, b.bark, 1.5)
    b.oval(44, 28, 56, 38, b.accent)


def cups(b: Board) -> None:
    b.shadow(28, 72, 88)
    for n in range(6):
        tone = colour(b.hue + n * 52, 0.58, 0.48)
        wide, y = 22 - n * 2.6, 76 - n * 12
        b.shape([(50 - wide, y + 11), (50 + wide, y + 11), (50 + wide - 3, y), (50 - wide + 3, y)], tone)


def blanket(b: Board) -> None:
    b.shadow(18, 82, 80)
    b.box(20, 54, 80, 79, b.main, 6)
    b.box(22, 44, 78, 60, b.light, 6)
    b.box(24, 34, 76, 50, b.pale, 6)
    for x, y in ((32, 41), (44, 44), (56, 40), (68, 43), (36, 54), (52, 55), (66, 53), (30, 68), (48, 70), (64, 67)):
        b.oval(x - 1.6, y - 1.6, x + 1.6, y + 1.6, b.accent)


def gamebox(b: Board) -> None:
    b.shadow(14, 88, 82)
    b.box(18, 26, 74, 80, b.main, 3)
    b.shape([(74, 28), (84, 36), (84, 82), (74, 80)], b.deep)
    b.shape([(18, 66), (34, 48), (46, 60), (58, 42), (74, 64), (74, 80), (18, 80)], b.dark)
    b.oval(54, 32, 66, 44, b.accent)
    b.box(26, 70, 54, 75, b.cream, 1.5)
    b.oval(78, 72, 90, 84, b.light)
    b.box(6, 72, 15, 82, b.accent, 2)


def cards(b: Board) -> None:
    b.shadow(20, 82, 80)
    for n, tone in enumerate((b.dark, b.light, b.cream)):
        x = 22 + n * 13
        b.shape([(x, 34 - n * 3), (x + 26, 28 + n * 3), (x + 32, 70 + n * 3), (x + 6, 76 - n * 3)], tone)
    b.oval(57, 46, 73, 62, b.accent)
    b.line([(65, 47), (68, 40)], LEAF, 1.8)


def grinder(b: Board) -> None:
    b.shadow(34, 70, 88)
    b.line([(50, 22), (76, 18)], b.steel, 2.6)
    b.oval(72, 12, 82, 24, b.wood)
    b.box(37, 24, 63, 60, b.main, 4)
    b.box(37, 24, 43, 60, b.light, 3)
    b.box(38, 60, 62, 88, b.bark, 4)
    b.box(36, 57, 64, 63, b.steel, 2)
    for n in range(5):
        b.line([(38, 34 + n * 4), (62, 34 + n * 4)], b.dark, 0.9)


def dripper(b: Board) -> None:
    b.shadow(28, 76, 84)
    b.arc(62, 32, 84, 54, 260, 110, b.main, 4)
    b.shape([(24, 28), (76, 28), (57, 58), (43, 58)], b.main)
    for x in (34, 42, 50, 58, 66):
        b.line([(x, 30), (50 + (x - 50) * 0.3, 56)], b.light, 1.2)
    b.oval(24, 23, 76, 33, b.dark)
    b.oval(29, 25, 71, 31, b.bark)
    b.box(36, 57, 64, 62, b.dark, 2)
    b.box(38, 66, 62, 84, b.cream, 4)
    b.box(40, 74, 60, 82, b.bark, 3)


def gooseneck(b: Board) -> None:
    b.shadow(26, 78, 80)
    b.line([(32, 70), (20, 62), (22, 42), (10, 32)], b.main, 3.4)
    b.arc(60, 36, 90, 74, 280, 80, b.deep, 4)
    b.shape([(32, 46), (68, 46), (74, 80), (26, 80)], b.main)
    b.shape([(32, 46), (42, 46), (38, 80), (26, 80)], b.light)
    b.slice(32, 38, 68, 56, 180, 360, b.dark)
    b.oval(46, 33, 54, 41, b.deep)


def paper(b: Board) -> None:
    b.shadow(22, 80, 80)
    for n in range(4):
        x, y = 22 + n * 6, 34 - n * 3
        tone = colour(b.hue, 0.72 + n * 0.06, 0.4)
        b.shape([(x, y), (x + 44, y), (x + 26, y + 46), (x + 18, y + 46)], tone)
    b.line([(44, 68), (62, 30)], b.light, 1)


def beans(b: Board) -> None:
    b.shadow(26, 80, 86)
    b.shape([(30, 26), (66, 26), (70, 86), (26, 86)], b.main)
    b.box(29, 18, 67, 30, b.dark, 2)
    b.box(34, 44, 62, 68, b.cream, 2)
    brown = colour(22, 0.32, 0.45)
    for x, y in ((48, 55), (74, 80), (84, 82), (79, 73)):
        b.oval(x - 5, y - 4, x + 5, y + 4, brown)
        b.line([(x - 3, y + 1), (x + 3, y - 1)], b.wood, 0.9)


def bottle(b: Board) -> None:
    b.shadow(36, 66, 90)
    b.box(42, 14, 58, 34, b.pale, 3)
    b.box(36, 30, 64, 89, b.pale, 8)
    b.box(38, 46, 62, 87, colour(24, 0.34, 0.45), 7)
    b.box(44, 32, 56, 80, colour(24, 0.44, 0.40), 3)
    b.box(41, 10, 59, 19, b.main, 3)
    b.box(39, 34, 42, 84, b.cream, 1.5)


def tube(b: Board) -> None:
    b.shadow(34, 68, 88)
    b.shape([(34, 20), (66, 20), (62, 74), (38, 74)], b.light)
    b.box(33, 14, 67, 22, b.main, 1.5)
    b.box(38, 73, 62, 88, b.dark, 3)
    b.box(41, 34, 59, 52, b.cream, 1.5)
    b.line([(44, 39), (56, 39)], b.main, 1.2)
    b.line([(44, 44), (53, 44)], b.main, 1.2)
    b.oval(72, 76, 84, 84, b.cream)


def cream(b: Board) -> None:
    b.shadow(20, 80, 80)
    b.box(24, 46, 76, 80, b.light, 9)
    b.box(22, 34, 78, 52, b.main, 5)
    b.box(34, 58, 66, 71, b.cream, 1.5)
    b.line([(39, 63), (61, 63)], b.main, 1.2)
    b.line([(39, 67), (54, 67)], b.main, 1.2)
    b.box(24, 37, 76, 40, b.pale, 1)


def dropper(b: Board) -> None:
    b.shadow(36, 68, 88)
    b.box(45, 10, 55, 26, b.deep, 5)
    b.box(42, 24, 58, 36, b.steel, 2)
    b.box(35, 36, 65, 88, b.main, 8)
    b.box(39, 40, 43, 84, b.light, 2)
    b.box(46, 52, 61, 72, b.cream, 1.5)
    b.oval(76, 62, 84, 74, b.light)
    b.shape([(80, 54), (84, 66), (76, 66)], b.light)


def bento(b: Board) -> None:
    b.shadow(16, 84, 80)
    b.box(18, 56, 82, 79, b.main, 6)
    b.box(18, 36, 82, 58, b.cream, 6)
    b.box(22, 40, 48, 54, colour(42, 0.92, 0.5), 4)
    b.oval(54, 40, 66, 54, b.accent)
    b.oval(64, 42, 78, 54, LEAF)
    b.oval(32, 44, 38, 50, colour(355, 0.5, 0.55))
    b.box(47, 54, 53, 82, b.deep, 1.5)


def chair(b: Board) -> None:
    b.shadow(18, 84, 86)
    b.line([(34, 60), (24, 86)], b.iron, 2.4)
    b.line([(66, 60), (78, 86)], b.iron, 2.4)
    b.line([(36, 70), (70, 86)], b.iron, 2)
    b.line([(66, 70), (32, 86)], b.iron, 2)
    b.shape([(26, 20), (70, 16), (76, 58), (62, 70), (34, 68)], b.main)
    b.shape([(34, 68), (62, 70), (76, 58), (44, 56)], b.dark)
    b.oval(34, 19, 64, 31, b.light)


def table(b: Board) -> None:
    b.shadow(12, 88, 84)
    for x0, x1 in ((28, 18), (72, 82), (38, 62), (62, 38)):
        b.line([(x0, 50), (x1, 84)], b.bark, 2.4)
    b.shape([(20, 40), (80, 40), (90, 52), (10, 52)], b.wood)
    for n in range(7):
        b.line([(26 + n * 8, 40), (20 + n * 10, 52)], b.bark, 0.8)
    b.box(54, 26, 66, 42, b.main, 2)
    b.oval(32, 36, 44, 42, b.cream)


INDOORS: dict[str, Callable[[Board], None]] = {
    draw.__name__: draw
    for draw in (
        planter, trowel, can, tray, roll, needle, tape, bar, teapot, gaiwan, tin, pan, bowls, knife, drainer, jars,
        scale, board, tower, cups, blanket, gamebox, cards, grinder, dripper, gooseneck, paper, beans, bottle, tube,
        cream, dropper, bento, chair, table,
    )
}  # fmt: skip
