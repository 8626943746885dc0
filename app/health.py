"""Is the process alive, is it ready, and how is it doing."""

from litestar import Response, get
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from app import db, jobs, valkey
from app.errors import NotFound
from app.migrate import is_at_head
from app.settings import settings

# A queue this far behind means the workers are not keeping up or not running.
MOST_LAG_SECONDS = 300


@get("/healthz", opt={"plain": True}, include_in_schema=False)
async def healthz() -> Response[str]:
    return Response("ok", media_type="text/plain")


@get("/readyz", include_in_schema=False)
async def readyz() -> Response[dict]:
    """200 when a request would be served well; each check says its own state."""
    checks: dict[str, object] = {}
    try:
        checks["database"] = await db.fetch_val("SELECT 1") == 1
        checks["migrations"] = await is_at_head()
        lag = await jobs.lag_seconds()
        checks["job_lag_seconds"] = round(lag, 1)
        ready = checks["migrations"] is True and lag < MOST_LAG_SECONDS
    except Exception:
        checks["database"] = ready = False
    # Valkey may be away: pages are slower then, not wrong, so it is told and not required.
    checks["redis"] = await valkey.is_up()
    return Response({"ready": ready, **checks}, status_code=200 if ready else 503)


@get("/metrics", include_in_schema=False)
async def metrics() -> Response[bytes]:
    if settings().is_production:
        raise NotFound()  # served on its own port, GRAPEVINE_METRICS_PORT
    return Response(generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})
