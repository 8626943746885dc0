"""The click that a request makes."""

from datetime import datetime
from typing import Any

from app import ids
from app.settings import settings
from referrals.clicks import classify, heard, visitors
from referrals.clicks.heard import DENIED
from referrals.clicks.writer import NewClick

_DESTINATIONS = frozenset(b"document iframe frame image empty embed object script style".split())


def click_of(link_id: int, scope: Any, *, at: datetime, address: str, trigger: str = "link") -> NewClick:
    """What is kept of a visit. Whoever denied consent is counted by the hour, and nothing else of them is kept."""
    asked = heard.hear(scope)
    headers = asked.headers
    agent = classify.agent(headers.get(b"user-agent", b""))
    signals = classify.signals_of(scope["method"], headers, agent, is_https=settings().is_https, address=address)
    kind, score = classify.judge(agent.kind, signals)
    consent = heard.consent_of(headers, asked.query)
    if consent == DENIED and kind == classify.HUMAN:
        hour = at.replace(minute=0, second=0, microsecond=0)
        return NewClick(ids.new_click_id(hour), link_id, hour, kind, trigger=trigger, consent=DENIED)
    return NewClick(
        ids.new_click_id(at),
        link_id,
        at,
        kind,
        visitors.hash_of(at, address, headers.get(b"user-agent", b"")),
        heard.host_of(headers.get(b"referer", b"")),
        trigger,
        consent=consent,
        agent_hash=agent.hash,
        signals=signals,
        bot_score=score,
        score_version=classify.SCORE_VERSION,
        ua_class=agent.ua_class,
        in_app=agent.in_app,
        paid_click_param=heard.paid_param(asked.query),
        fetch_site=heard.word(headers.get(b"sec-fetch-site", b"")),
        fetch_dest=heard.word(headers.get(b"sec-fetch-dest", b""), _DESTINATIONS),
        country=asked.country,
        agent=agent.text,
    )
