"""`grapevine`: every command of the operator. Each shows an example with --help; exits 0, 1 (failed) or 2 (usage)."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from functools import wraps
from pathlib import Path
from typing import Any

import click
import msgspec

from app import db, doctor, embedded, grants, log, migrate, valkey
from app.errors import Problem
from app.settings import BadSetting, settings


class Failed(click.ClickException):
    """Exit code 1 with one sentence."""

    exit_code = 1


def as_json(command: Callable) -> Callable:
    """The `--json` flag: one JSON object on stdout instead of lines for people."""
    return click.option("--json", "json_output", is_flag=True, help="One JSON object on stdout.")(command)


def tell(result: dict[str, Any], json_output: bool, sentence: str) -> None:
    click.echo(msgspec.json.encode(result).decode() if json_output else sentence)


def with_database(command: Callable[..., Awaitable[Any]]) -> Callable[..., Any]:
    """Run an async command with settings checked, embedded servers up when none are configured, and the pool open."""

    @wraps(command)
    def run(*args: Any, **options: Any) -> Any:
        try:
            with servers_if_needed():
                return asyncio.run(_with_pool(command, args, options))
        except (BadSetting, embedded.CannotStart, migrate.MigrationFailed) as error:
            raise Failed(str(error)) from error
        except Problem as problem:
            details = "; ".join(f"{field}: {text}" for field, text in problem.fields.items())
            raise Failed(details or problem.detail) from problem

    return run


def servers_if_needed():  # type: ignore[no-untyped-def]
    """Embedded PostgreSQL and Valkey for the time of the command, unless the settings name others."""
    if settings().database_url:
        return nullcontext()
    use = embedded.servers(settings().data_dir)
    return _announced(use)


class _announced:
    def __init__(self, use: Any) -> None:
        self.use = use

    def __enter__(self) -> None:
        urls = self.use.__enter__()
        os.environ.setdefault("GRAPEVINE_DATABASE_URL", urls.database_url)
        os.environ.setdefault("GRAPEVINE_REDIS_URL", urls.redis_url)
        settings.cache_clear()

    def __exit__(self, *error: Any) -> None:
        self.use.__exit__(*error)


async def _with_pool(command: Callable[..., Awaitable[Any]], args: Any, options: Any) -> Any:
    await db.open(settings().database_url, max_size=5)
    try:
        return await command(*args, **options)
    finally:
        await valkey.close()
        await db.close()


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Grapevine: word of mouth as software."""
    log.configure(as_json=False, level="WARNING")


@main.command(name="migrate", epilog="Example: grapevine migrate --json")
@click.option("--app-role", default="", help="A role without the right to change the books, for serve and worker.")
@as_json
@with_database
async def migrate_command(app_role: str, json_output: bool) -> None:
    """Bring the database schema to head. Safe when started many times at once."""
    applied = await migrate.migrate()
    if app_role:
        await grants.grant_to(app_role)
    tell({"applied": applied}, json_output, f"The schema is at head ({applied} migrations applied).")


@main.command(epilog="Example: grapevine serve --host 0.0.0.0 --port 8000 --workers 2")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True)
@click.option("--workers", default=1, show_default=True)
def serve(host: str, port: int, workers: int) -> None:
    """Run the web process."""
    import uvicorn

    from app.protocols import HttpProtocol, LiveProtocol

    try:
        settings()
    except BadSetting as error:
        raise Failed(str(error)) from error
    with servers_if_needed():
        uvicorn.run(
            "app.main:create",
            factory=True,
            host=host,
            port=port,
            workers=workers,
            http=HttpProtocol,
            ws=LiveProtocol,
            ws_max_size=65_536,
            ws_per_message_deflate=False,
            access_log=False,
            log_config=None,
            timeout_graceful_shutdown=10,
        )


@main.command(epilog="Example: grapevine worker")
@with_database
async def worker() -> None:
    """Run background jobs and chores until stopped."""
    from app.worker import work_until_stopped

    await work_until_stopped()


@main.command(epilog="Example: grapevine demo --port 8080 --fresh")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=8000, show_default=True)
@click.option("--data", type=click.Path(path_type=Path), help="The data directory (else GRAPEVINE_DATA_DIR, else var).")
@click.option("--seed", default=7, show_default=True, help="Another number, another month of the same community.")
@click.option("--fresh", is_flag=True, help="Forget what was there and begin anew.")
@click.option("--reload", is_flag=True, help="Start web and worker anew when the code changes.")
def demo(host: str, port: int, data: Path | None, seed: int, fresh: bool, reload: bool) -> None:
    """Run a living community: database, migrations, content, web and worker, all in one."""
    from app import run_demo

    try:
        sys.exit(run_demo.run(host, port, data or settings().data_dir, seed, fresh=fresh, reload=reload))
    except (run_demo.CannotRun, BadSetting, embedded.CannotStart, migrate.MigrationFailed) as error:
        raise Failed(str(error)) from error


@main.command(name="doctor", epilog="Example: grapevine doctor --json")
@as_json
@with_database
async def doctor_command(json_output: bool) -> None:
    """Check settings, database, redis, search, mail, storage and clock, and say what to do."""
    findings = await doctor.examine()
    well = all(finding.ok for finding in findings)
    lines = "\n".join(
        f"{'ok ' if finding.ok else 'BAD'} {finding.part:9} {finding.seen}"
        + (f"  -> {finding.advice}" * bool(finding.advice))
        for finding in findings
    )
    tell({"ok": well, "findings": msgspec.to_builtins(findings)}, json_output, lines)
    if not well:
        sys.exit(1)


@main.group()
def member() -> None:
    """Members."""


@member.command(
    name="create", epilog="Example: grapevine member create --handle ada --email ada@example.org --role admin"
)
@click.option("--handle", required=True)
@click.option("--email", required=True)
@click.option("--password", help="Asked for when missing; made up when not on a terminal.")
@click.option("--role", type=click.Choice(["member", "moderator", "admin"]), default="member", show_default=True)
@as_json
@with_database
async def create_member(handle: str, email: str, password: str | None, role: str, json_output: bool) -> None:
    """Make an account."""
    from app import features, ids  # features registers the subscribers of MemberJoined
    from community.members.schemas import NewMember
    from community.members.service import join

    assert features
    made_up = password is None and not sys.stdin.isatty()
    if password is None:
        password = ids.new_token() if made_up else click.prompt("Password", hide_input=True, confirmation_prompt=True)
    member_id = await join(NewMember(handle, email, password), role=role, email_is_proven=True)
    tell(
        {"id": str(member_id), "handle": handle.lower()},
        json_output,
        f"@{handle.lower()} is a {role} now." + (f" Password: {password}" if made_up else ""),
    )


@member.command(name="password", epilog="Example: grapevine member password --handle ada")
@click.option("--handle", required=True)
@click.option("--password", help="Asked for when missing.")
@as_json
@with_database
async def set_password(handle: str, password: str | None, json_output: bool) -> None:
    """Set a member's password, for one who cannot get a mail; signs them out everywhere."""
    from community.members.queries import member_by_handle
    from community.sessions.passwords import give

    row = await member_by_handle(handle)
    await give(row["id"], password or click.prompt("New password", hide_input=True, confirmation_prompt=True))
    tell({"id": str(row["id"])}, json_output, f"@{row['handle']} has a new password and is signed out everywhere.")


@main.group()
def token() -> None:
    """API tokens."""


@token.command(name="create", epilog="Example: grapevine token create --member ada --scope read,write")
@click.option("--member", "handle", required=True)
@click.option("--scope", default="read,write", show_default=True)
@as_json
@with_database
async def create_token(handle: str, scope: str, json_output: bool) -> None:
    """Make an API token; it is shown once."""
    from community.members.queries import member_by_handle
    from community.sessions.service import make_token

    row = await member_by_handle(handle)
    made = await make_token(row["id"], [part.strip() for part in scope.split(",")])
    tell({"token": made}, json_output, made)


@main.group()
def job() -> None:
    """Jobs that failed for good and wait for a person."""


@job.command(name="held", epilog="Example: grapevine job held")
@as_json
@with_database
async def list_held(json_output: bool) -> None:
    """List held jobs."""
    from app import jobs

    held = await jobs.held()
    lines = "\n".join(f"{row['id']}  {row['entrypoint']}  {row['reason']}" for row in held) or "No job is held."
    tell({"held": held}, json_output, lines)


@job.command(name="retry", epilog="Example: grapevine job retry 17")
@click.argument("job_id", type=int)
@as_json
@with_database
async def retry_job(job_id: int, json_output: bool) -> None:
    """Queue a held job again."""
    from app import jobs

    if not await jobs.retry_held(job_id):
        raise Failed(f"Job {job_id} is not held.")
    tell({"queued": job_id}, json_output, f"Job {job_id} is queued again.")


# Below, because these files use the decorators above.
from app.cli_backup import backup, restore  # noqa: E402
from app.cli_clicks import clicks  # noqa: E402
from app.cli_import import importing  # noqa: E402
from app.cli_ledger import ledger  # noqa: E402
from app.cli_payouts import tax  # noqa: E402
from app.cli_people import erase, export  # noqa: E402
from app.cli_referrals import program  # noqa: E402
from app.cli_room import room  # noqa: E402
from app.cli_search import search  # noqa: E402
from app.cli_store import store  # noqa: E402
from app.cli_webhooks import webhooks  # noqa: E402

main.add_command(backup)
main.add_command(clicks)
main.add_command(erase)
main.add_command(export)
main.add_command(importing)
main.add_command(ledger)
main.add_command(program)
main.add_command(restore)
main.add_command(room)
main.add_command(search)
main.add_command(tax)
main.add_command(store)
main.add_command(webhooks)

if __name__ == "__main__":
    main()
