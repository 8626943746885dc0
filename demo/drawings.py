"""How the things in the shops look: one small drawing each, outdoors first."""

from collections.abc import Callable

from demo.brush import Board, colour


def pack(b: Board) -> None:
    b.shadow(26, 74, 87)
    b.arc(41, 13, 59, 31, 180, 360, b.deep, 2.6)
    b.box(30, 22, 70, 86, b.main, 12)
    b.box(25, 52, 34, 80, b.dark, 4)
    b.box(66, 52, 75, 80, b.dark, 4)
    b.box(29, 18, 71, 40, b.dark, 9)
    b.box(35, 50, 65, 78, b.light, 6)
    b.line([(38, 57), (62, 57)], b.deep, 1.4)
    for x in (40, 60):
        b.line([(x, 36), (x, 50)], b.deep, 2.2)
        b.box(x - 2.4, 42, x + 2.4, 46.5, b.accent, 1)
    b.box(44, 64, 56, 71, b.cream, 1.5)


def pouch(b: Board) -> None:
    b.shadow(20, 80, 73)
    b.arc(8, 22, 92, 78, 195, 345, b.deep, 4)
    b.box(23, 42, 77, 72, b.main, 11)
    b.box(23, 42, 77, 54, b.dark, 6)
    b.line([(31, 54), (69, 54)], b.accent, 1.6)
    b.box(43, 59, 57, 66, b.cream, 1.5)


def shoe(b: Board) -> None:
    b.shadow(12, 88, 76)
    b.shape([(17, 44), (30, 40), (41, 46), (56, 58), (78, 62), (86, 68), (86, 72), (15, 72)], b.main)
    b.shape([(17, 44), (30, 40), (33, 58), (16, 64)], b.dark)
    b.oval(72, 59, 88, 75, b.dark)
    b.box(13, 69, 88, 75, b.deep, 3)
    for x in range(16, 88, 8):
        b.box(x, 73, x + 5, 77.5, b.deep, 1)
    for n in range(4):
        b.line([(37 + n * 6, 49 + n * 3), (43 + n * 6, 43.6 + n * 3.4)], b.cream, 1.8)
    b.shape([(24, 38), (33, 37), (35, 43), (25, 46)], b.light)


def boot(b: Board) -> None:
    b.shadow(18, 86, 82)
    b.shape([(26, 22), (50, 22), (52, 52), (76, 60), (84, 68), (84, 76), (22, 76)], b.main)
    b.box(24, 18, 52, 28, b.dark, 4)
    b.oval(66, 58, 86, 79, b.dark)
    b.box(20, 74, 86, 81, b.deep, 3)
    b.box(20, 78, 42, 84, b.deep, 1.5)
    for n in range(5):
        b.line([(41, 32 + n * 6), (52, 31 + n * 6.2)], b.cream, 1.6)
    b.line([(24, 71), (82, 71)], b.pale, 0.9)


def tent(b: Board) -> None:
    b.shadow(8, 92, 76)
    b.shape([(50, 25), (92, 74), (8, 74)], b.main)
    b.shape([(50, 25), (92, 74), (58, 74)], b.dark)
    b.shape([(50, 25), (58, 74), (34, 74)], b.deep)
    b.shape([(50, 25), (34, 74), (42, 74)], b.light)
    b.line([(50, 25), (50, 20)], b.bark, 1.4)
    b.line([(14, 68), (3, 78)], b.bark, 0.8)
    b.line([(86, 68), (97, 78)], b.bark, 0.8)
    b.oval(70, 14, 78, 22, b.accent)


def tarp(b: Board) -> None:
    b.shadow(16, 86, 80)
    b.line([(24, 30), (24, 80)], b.wood, 2)
    b.line([(78, 40), (78, 80)], b.wood, 2)
    b.shape([(24, 30), (78, 40), (92, 58), (48, 55), (10, 50)], b.main)
    b.shape([(24, 30), (78, 40), (48, 55), (10, 50)], b.light)
    b.line([(92, 58), (97, 80)], b.bark, 0.8)
    b.line([(10, 50), (4, 80)], b.bark, 0.8)


def quilt(b: Board) -> None:
    b.shadow(16, 84, 80)
    b.box(18, 30, 82, 79, b.main, 10)
    b.box(18, 30, 82, 44, b.light, 7)
    for n in range(4):
        b.line([(22, 51 + n * 8), (78, 51 + n * 8)], b.dark, 0.9)
    b.oval(62, 58, 86, 82, b.dark)
    b.ring(66, 62, 82, 78, b.light, 1.4)
    b.ring(70, 66, 78, 74, b.light, 1.4)


def mat(b: Board) -> None:
    b.shadow(14, 88, 74)
    for n in range(6):
        x = 16 + n * 11
        b.shape([(x, 40), (x + 11, 33), (x + 11, 66), (x, 73)], b.main if n % 2 else b.dark)
        b.line([(x + 5, 45), (x + 5, 64)], b.light if n % 2 else b.main, 1)
    b.box(80, 33, 86, 67, b.light, 2)


def stove(b: Board) -> None:
    b.shadow(26, 74, 82)
    b.shape([(32, 46), (68, 46), (73, 80), (27, 80)], b.steel)
    b.shape([(32, 46), (50, 46), (50, 80), (27, 80)], b.iron)
    b.oval(41, 60, 59, 78, b.deep)
    b.shape([(50, 56), (57, 72), (50, 77), (43, 72)], b.flame)
    b.shape([(50, 64), (54, 72), (50, 76), (46, 72)], b.cream)
    for x in (36, 46, 56):
        b.shape([(x, 46), (x + 4, 34), (x + 8, 46)], b.flame)
    for x in (38, 50, 62):
        b.oval(x - 1.4, 50, x + 1.4, 53, b.deep)


def pot(b: Board) -> None:
    b.shadow(22, 78, 79)
    b.box(26, 44, 74, 79, b.main, 7)
    b.box(26, 44, 40, 79, b.light, 7)
    b.box(22, 38, 78, 46, b.dark, 4)
    b.box(45, 31, 55, 39, b.deep, 3)
    b.box(74, 50, 90, 55, b.deep, 2.5)
    b.line([(60, 56), (66, 56)], b.cream, 1)
    b.line([(60, 64), (66, 64)], b.cream, 1)
    for x in (38, 50, 62):
        b.arc(x - 3, 14, x + 3, 26, 100, 260, b.light, 1.4)


def flask(b: Board) -> None:
    b.shadow(36, 66, 88)
    b.box(37, 30, 63, 88, b.main, 6)
    b.box(41, 34, 46, 84, b.light, 2.5)
    b.box(39, 13, 61, 32, b.steel, 4)
    b.box(37, 28, 63, 33, b.iron, 1.5)
    b.box(50, 54, 58, 64, b.cream, 1.5)


def headlamp(b: Board) -> None:
    b.shadow(22, 78, 78)
    b.ring(20, 22, 80, 76, b.main, 5)
    b.arc(26, 14, 74, 80, 215, 325, b.dark, 3)
    b.box(36, 54, 64, 76, b.deep, 5)
    b.oval(42, 57, 58, 73, b.cream)
    b.oval(46, 61, 54, 69, b.accent)
    b.box(45, 51, 55, 55, b.accent, 1.5)


def lantern(b: Board) -> None:
    b.shadow(32, 68, 84)
    b.arc(39, 10, 61, 36, 180, 360, b.iron, 2)
    b.box(36, 24, 64, 34, b.main, 4)
    b.box(38, 34, 62, 68, b.cream, 4)
    b.oval(43, 42, 57, 60, b.pale)
    b.oval(46, 46, 54, 57, b.flame)
    b.box(34, 66, 66, 83, b.main, 5)
    b.box(34, 66, 66, 71, b.dark, 2)
    for x in (38.5, 61.5):
        b.line([(x, 34), (x, 67)], b.dark, 1.2)


def jacket(b: Board) -> None:
    b.shadow(24, 76, 85)
    b.shape([(34, 28), (20, 38), (13, 72), (22, 75), (30, 52)], b.dark)
    b.shape([(66, 28), (80, 38), (87, 72), (78, 75), (70, 52)], b.dark)
    b.shape([(34, 26), (66, 26), (73, 40), (72, 84), (28, 84), (27, 40)], b.main)
    b.oval(36, 13, 64, 38, b.dark)
    b.oval(41, 19, 59, 38, b.deep)
    b.line([(50, 36), (50, 83)], b.accent, 1.5)
    b.line([(33, 60), (41, 70)], b.deep, 1.4)
    b.line([(67, 60), (59, 70)], b.deep, 1.4)


def tee(b: Board) -> None:
    b.shadow(26, 74, 84)
    b.shape(
        [(34, 22), (14, 36), (21, 50), (30, 45), (30, 83), (70, 83), (70, 45), (79, 50), (86, 36), (66, 22)], b.main
    )
    b.slice(38, 12, 62, 34, 0, 180, b.deep)
    b.line([(30, 79), (70, 79)], b.dark, 0.9)
    b.line([(30, 47), (30, 56)], b.dark, 1)
    b.line([(70, 47), (70, 56)], b.dark, 1)


def vest(b: Board) -> None:
    b.shadow(28, 72, 84)
    b.shape([(34, 20), (42, 20), (50, 36), (58, 20), (66, 20), (72, 44), (71, 83), (29, 83), (28, 44)], b.main)
    b.box(29, 50, 71, 56, b.cream, 0)
    b.box(29, 66, 71, 72, b.cream, 0)
    b.line([(50, 36), (50, 82)], b.deep, 1.5)
    b.line([(37, 22), (40, 49)], b.cream, 2.4)
    b.line([(63, 22), (60, 49)], b.cream, 2.4)


def socks(b: Board) -> None:
    b.shadow(20, 82, 82)
    for dx, main, trim in ((0, b.dark, b.light), (17, b.main, b.accent)):
        b.box(22 + dx, 20, 40 + dx, 66, main, 3)
        b.box(22 + dx, 58, 62 + dx, 81, main, 10)
        b.box(22 + dx, 20, 40 + dx, 28, trim, 3)
        b.box(22 + dx, 33, 40 + dx, 36, trim, 0)
        b.oval(21 + dx, 60, 36 + dx, 81, trim)


def gloves(b: Board) -> None:
    b.shadow(20, 80, 82)
    for dx, tone in ((0, b.dark), (29, b.main)):
        b.box(22 + dx, 44, 44 + dx, 76, tone, 6)
        for n in range(4):
            b.box(22 + dx + n * 5.6, 24 + abs(n - 1.4) * 3, 26.6 + dx + n * 5.6, 52, tone, 2.3)
        b.line([(22 + dx, 62), (15 + dx, 50)], tone, 5)
        b.box(23 + dx, 72, 43 + dx, 81, b.light, 2)


def cap(b: Board) -> None:
    b.shadow(14, 86, 68)
    b.slice(22, 28, 74, 96, 180, 360, b.main)
    b.slice(22, 28, 48, 96, 180, 360, b.dark)
    b.shape([(70, 58), (94, 66), (92, 70), (60, 64), (24, 64), (22, 60)], b.deep)
    b.oval(45, 26, 51, 31, b.accent)
    b.line([(52, 31), (60, 58)], b.light, 1)


def pannier(b: Board) -> None:
    b.shadow(24, 76, 85)
    b.box(26, 34, 74, 85, b.main, 6)
    b.box(24, 22, 76, 38, b.dark, 6)
    b.box(26, 27, 74, 31, b.light, 2)
    b.box(46, 20, 54, 42, b.accent, 2)
    b.box(33, 52, 67, 76, b.dark, 4)
    b.box(56, 58, 63, 63, b.cream, 1)
    for x in (34, 62):
        b.box(x, 15, x + 5, 24, b.iron, 2)


def bikelight(b: Board) -> None:
    b.shadow(18, 84, 74)
    b.box(18, 38, 48, 66, b.deep, 9)
    b.oval(22, 40, 46, 64, b.cream)
    b.oval(28, 46, 40, 58, b.steel)
    b.box(58, 38, 82, 68, b.deep, 9)
    b.oval(61, 42, 79, 64, colour(2, 0.48, 0.75))
    b.oval(66, 48, 74, 58, colour(8, 0.72, 0.85))
    b.box(30, 66, 37, 74, b.iron, 2)
    b.box(67, 68, 74, 75, b.iron, 2)


def cape(b: Board) -> None:
    b.shadow(16, 84, 84)
    b.shape([(50, 22), (86, 74), (74, 84), (26, 84), (14, 74)], b.main)
    b.shape([(50, 22), (66, 84), (34, 84)], b.light)
    b.oval(38, 13, 62, 40, b.dark)
    b.oval(43, 19, 57, 39, b.deep)
    b.line([(22, 77), (30, 80)], b.cream, 1.6)
    b.line([(78, 77), (70, 80)], b.cream, 1.6)


def pump(b: Board) -> None:
    b.shadow(16, 84, 72)
    b.line([(24, 66), (70, 42)], b.main, 9)
    b.line([(28, 62), (66, 42.5)], b.light, 2)
    b.line([(70, 42), (82, 36)], b.steel, 5)
    b.line([(80, 30), (86, 43)], b.deep, 5)
    b.arc(10, 56, 34, 84, 60, 250, b.deep, 2.2)
    b.box(25, 78, 33, 83, b.accent, 1.5)


OUTDOORS: dict[str, Callable[[Board], None]] = {
    draw.__name__: draw
    for draw in (
        pack, pouch, shoe, boot, tent, tarp, quilt, mat, stove, pot, flask, headlamp, lantern, jacket, tee, vest,
        socks, gloves, cap, pannier, bikelight, cape, pump,
    )
}  # fmt: skip
