"""What people bring in as pictures comes out as plain WebP, or not at all."""

import io
import struct
import threading
import time
import zlib
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest
from PIL import Image

from app import db
from tests.factories import Browser, a_member, sign_in, submit

pytestmark = pytest.mark.anyio


def a_picture(size=(320, 200), kind="PNG", *, mode="RGB", **options) -> bytes:
    made = Image.linear_gradient("L").resize(size).convert(mode)
    out = io.BytesIO()
    made.save(out, kind, **options)
    return out.getvalue()


def png_claiming(width: int, height: int) -> bytes:
    """A PNG of a few bytes whose header promises a picture of this size."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 9000)) + chunk(b"IEND", b"")
    )


async def bring(client: httpx.AsyncClient, content: bytes, name: str = "x.png") -> httpx.Response:
    return await client.post("/api/v1/uploads", files={"file": (name, content)})


async def nothing_is_kept() -> bool:
    return await db.fetch_val("SELECT count(*) FROM upload") == 0


async def test_a_picture_is_kept_as_webp_and_served_for_ever(web: Browser):
    alice = await a_member("alice")
    made = await bring(web(token=alice.token), a_picture((3000, 1500), "JPEG"))
    assert made.status_code == 201
    assert (made.json()["width"], made.json()["height"]) == (2000, 1000)
    shown = await web().get(made.json()["url"])
    assert shown.headers["content-type"] == "image/webp" and "immutable" in shown.headers["cache-control"]
    assert shown.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in shown.headers["content-security-policy"]
    assert Image.open(io.BytesIO(shown.content)).size == (2000, 1000)


async def test_the_place_a_photo_was_taken_is_gone_and_it_stands_upright(web: Browser):
    alice = await a_member("alice")
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held sideways
    exif[0x010F] = "Secret Camera"
    exif[0x8825] = {1: "N", 2: (52.0, 31.0, 12.0)}
    photo = a_picture((400, 200), "JPEG", exif=exif)
    assert b"Secret Camera" in photo
    made = (await bring(web(token=alice.token), photo)).json()
    assert (made["width"], made["height"]) == (200, 400)
    kept = await web().get(made["url"])
    assert b"Secret" not in kept.content and b"Exif" not in kept.content
    assert not Image.open(io.BytesIO(kept.content)).getexif()


async def test_a_picture_of_fifty_thousand_pixels_a_side_is_refused_at_once(web: Browser):
    alice = await a_member("alice")
    started = time.perf_counter()
    answer = await bring(web(token=alice.token), png_claiming(50_000, 50_000))
    assert answer.status_code == 422 and "too many pixels" in answer.json()["detail"]
    assert time.perf_counter() - started < 20
    assert await nothing_is_kept()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>", "SVG"),
        (b"\xef\xbb\xbf\n<?xml version='1.0'?><!-- x --><svg/>", "SVG"),
        (b"GIF89a/*\x01\x00\x00\x00\x00*/=1;alert(document.domain)//", "not a picture|could not be read|too many"),
        (b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic", "HEIC"),
        (b"<html><script>alert(1)</script></html>", "not a picture"),
        (b"%PDF-1.7 hello", "not a picture"),
        (b"", "choose a picture"),
        (a_picture()[:300], "damaged|not a picture"),
        (a_picture((900, 900), "JPEG")[:2000], "damaged"),
        (a_picture(kind="GIF", save_all=True, append_images=[Image.new("L", (320, 200), 9)]), "Moving"),
        (a_picture(kind="WEBP", save_all=True, append_images=[Image.new("RGB", (320, 200))]), "Moving"),
    ],
    ids=["svg", "xml", "gif+js", "heic", "html", "pdf", "empty", "cut png", "cut jpeg", "moving gif", "moving webp"],
)
async def test_what_is_no_still_picture_gets_a_clear_answer_and_leaves_nothing(
    web: Browser, content: bytes, words: str
):
    alice = await a_member("alice")
    answer = await bring(web(token=alice.token), content)
    assert answer.status_code == 422, answer.text
    assert any(word in answer.json()["detail"] for word in words.split("|")), answer.json()["detail"]
    assert answer.json()["errors"][0]["field"] == "file"
    assert await nothing_is_kept()


async def test_a_second_file_hidden_behind_a_picture_stays_behind(web: Browser):
    alice = await a_member("alice")
    made = await bring(web(token=alice.token), a_picture() + b"<script>alert('behind')</script>", "x.html")
    kept = await web().get(made.json()["url"])
    assert kept.headers["content-type"] == "image/webp" and b"script" not in kept.content


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "AVIF"])
@pytest.mark.parametrize("mode", ["RGB", "L"])
async def test_the_usual_kinds_are_read(web: Browser, kind: str, mode: str):
    alice = await a_member("alice")
    assert (await bring(web(token=alice.token), a_picture(kind=kind, mode=mode))).status_code == 201


async def test_a_picture_as_large_as_we_promise_fits_the_darkroom(web: Browser):
    alice = await a_member("alice")
    made = await bring(web(token=alice.token), a_picture((5600, 5600), mode="RGBA", compress_level=1))
    assert made.status_code == 201 and made.json()["width"] == 2000


async def test_more_than_ten_megabytes_is_too_large(web: Browser):
    alice = await a_member("alice")
    answer = await bring(web(token=alice.token), b"\x89PNG" + b"\0" * (10 * 1024 * 1024))
    assert answer.status_code == 413
    assert (await bring(web(token=alice.token), b"\0" * (11 * 1024 * 1024))).status_code == 413
    assert await nothing_is_kept()


async def test_only_members_bring_pictures_and_one_at_a_time(web: Browser):
    assert (await bring(web(), a_picture())).status_code == 401
    alice = await a_member("alice")
    client = web(token=alice.token)
    two = [("file", ("a.png", a_picture())), ("file", ("b.png", a_picture()))]
    assert (await client.post("/api/v1/uploads", files=two)).status_code == 422
    assert (await client.post("/api/v1/uploads", data={"file": "words"})).status_code == 422
    assert (await client.post("/api/v1/uploads", content=b"\x89PNG")).status_code == 422
    assert await nothing_is_kept()


@pytest.mark.parametrize(
    "key", ["../settings.py", "%2e%2e/%2e%2e/etc/passwd", "avatars/none.webp", "a.exe", "", "a%00.webp"]
)
async def test_nothing_else_can_be_read_from_the_storage(web: Browser, key: str):
    assert (await web().get(f"/media/{key}")).status_code == 404


async def test_a_face_appears_and_goes_back_to_initials(web: Browser):
    alice = await a_member("alice")
    browser = await sign_in(web(), alice)
    done = await submit(
        browser, "/settings/avatar", {}, page="/settings/profile", files={"avatar": ("me.jpg", a_picture((500, 300)))}
    )
    assert done.status_code == 303, done.text
    key = await db.fetch_val("SELECT avatar_key FROM member WHERE id = $1", alice.id)
    assert Image.open(io.BytesIO((await browser.get(f"/media/{key}")).content)).size == (256, 256)
    small = await browser.get(f"/media/{key.replace('-256.', '-64.')}")
    assert Image.open(io.BytesIO(small.content)).size == (64, 64)
    assert key in (await web().get("/@alice")).text
    await submit(browser, "/settings/avatar/end", {}, page="/settings/profile")
    assert key not in (await web().get("/@alice")).text
    assert (await browser.get(f"/media/{key}")).status_code == 404


async def test_a_drawing_as_avatar_is_refused_on_the_form_itself(web: Browser):
    alice = await a_member("alice")
    browser = await sign_in(web(), alice)
    answer = await submit(
        browser, "/settings/avatar", {}, page="/settings/profile", files={"avatar": ("me.svg", b"<svg/>")}
    )
    assert answer.status_code == 422 and "SVG drawings" in answer.text and 'id="avatar-error"' in answer.text
    assert await db.fetch_val("SELECT avatar_key FROM member WHERE id = $1", alice.id) == ""


async def test_an_avatar_without_the_form_s_token_is_refused(web: Browser):
    alice = await a_member("alice")
    browser = await sign_in(web(), alice)
    answer = await browser.post("/settings/avatar", files={"avatar": ("me.png", a_picture())})
    assert answer.status_code == 403
    assert await db.fetch_val("SELECT avatar_key FROM member WHERE id = $1", alice.id) == ""


class Bucket(BaseHTTPRequestHandler):
    """An S3 bucket, as far as keeping, reading and removing one object goes."""

    kept: dict[str, bytes] = {}

    def do_PUT(self) -> None:
        assert self.headers["authorization"].startswith("AWS4-HMAC-SHA256")
        self.kept[self.path] = self.rfile.read(int(self.headers["content-length"]))
        self._say(200, b"", ETag='"1"')

    def do_GET(self) -> None:
        if self.path in self.kept:
            self._say(200, self.kept[self.path], ETag='"1"', **{"Last-Modified": "Sun, 22 Nov 2026 15:00:00 GMT"})
        else:
            self._say(404, b"<Error><Code>NoSuchKey</Code></Error>")

    def do_DELETE(self) -> None:
        self.kept.pop(self.path, None)
        self._say(204, b"")

    def do_POST(self) -> None:
        """The bulk form of removal."""
        asked = self.rfile.read(int(self.headers["content-length"])).decode()
        key = asked.split("<Key>")[1].split("</Key>")[0]
        self.kept.pop(f"/pictures/{key}", None)
        self._say(200, f"<DeleteResult><Deleted><Key>{key}</Key></Deleted></DeleteResult>".encode())

    def _say(self, status: int, content: bytes, **headers: str) -> None:
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        pass


async def test_a_bucket_keeps_pictures_as_well_as_a_folder_does(monkeypatch: pytest.MonkeyPatch):
    from app.errors import NotFound
    from app.settings import settings
    from community.media import storage

    server = ThreadingHTTPServer(("127.0.0.1", 0), Bucket)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for name, value in {
        "GRAPEVINE_STORAGE_URL": "s3://pictures",
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}",
        "AWS_ALLOW_HTTP": "true",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "name",
        "AWS_SECRET_ACCESS_KEY": "word",
    }.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    try:
        await storage.put("pictures/a.webp", b"bytes")
        assert Bucket.kept == {"/pictures/pictures/a.webp": b"bytes"}
        assert await storage.get("pictures/a.webp") == b"bytes"
        await storage.forget("pictures/a.webp")
        with pytest.raises(NotFound):
            await storage.get("pictures/a.webp")
    finally:
        monkeypatch.undo()
        settings.cache_clear()
        server.shutdown()
        server.server_close()
