"""What the server's own database role may do, when it is not the owner of the schema (`grapevine migrate --app-role`).

Triggers refuse to change the books already; a role without the right cannot even try, and cannot drop the triggers.
"""

from app import db
from app.errors import Invalid

APPEND_ONLY = (
    "ledger_account",
    "ledger_transaction",
    "ledger_entry",
    "attribution",
    "commission_event",
    "write_off",
    "books_check",
)
# Tables of which the server makes and drops a partition each day; only an owner may.
PARTITIONED = ("click",)


async def grant_to(role: str) -> None:
    """Give a role all the server needs and no more; run again after every migration."""
    name = await db.fetch_val("SELECT quote_ident(rolname) FROM pg_roles WHERE rolname = $1", role)
    if name is None:
        raise Invalid("app-role", f"The database has no role “{role[:60]}”. Create it first: CREATE ROLE … LOGIN")
    async with db.transaction():
        for statement in (
            f"GRANT USAGE ON SCHEMA public TO {name}",
            f"GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {name}",
            f"GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA public TO {name}",
            f"GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO {name}",
            f"REVOKE UPDATE, DELETE, TRUNCATE, TRIGGER ON {', '.join(APPEND_ONLY)} FROM {name}",
            f"REVOKE INSERT, UPDATE, DELETE ON migration FROM {name}",
            f"GRANT CREATE ON SCHEMA public TO {name}",
        ):
            await db.execute(statement)
        for table in await _partitions():
            await db.execute(f"ALTER TABLE {table} OWNER TO {name}")


async def _partitions() -> list[str]:
    rows = await db.fetch(
        """SELECT tree.relid::regclass::text AS name
             FROM unnest($1::text[]) AS parent, pg_partition_tree(to_regclass(parent)) AS tree""",
        list(PARTITIONED),
    )
    return [row["name"] for row in rows]
