"""The dry run: where a visit would go and why, by the very function that the redirect asks. Nothing is counted."""

from datetime import datetime

import asyncpg
import msgspec

from referrals.links import passing
from referrals.links.agents import agent_of
from referrals.links.routing import Routes, Visit, checks, choose, preferred
from referrals.links.schemas import CheckView, RuleTried, Tried

# Agents as they come, for who has no such phone at hand.
SAMPLES = {
    "iphone": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.5 Mobile/15E148 Safari/604.1",
    "android": "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 "
    "Mobile Safari/537.36",
    "desktop": "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 "
    "Safari/537.36",
    "wechat": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Mobile/15E148 MicroMessenger/8.0.60(0x18003c2f) NetType/WIFI Language/zh_CN",
    "xiaohongshu": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Mobile/15E148 discover/9.2 xhsdiscover",
    "weibo": "Mozilla/5.0 (Linux; Android 15; V2309A) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 "
    "Chrome/130.0.0.0 Mobile Safari/537.36 Weibo (vivo-V2309A__weibo__15.9.2__android__android15)",
    "instagram": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Mobile/15E148 Instagram 390.0.0.28.85 (iPhone16,2; iOS 18_5; en_US; en; scale=3.00; 1290x2796; 750000000)",
    "line": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Mobile/15E148 Safari Line/15.9.0",
    "facebook": "Mozilla/5.0 (Linux; Android 15; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 "
    "Chrome/142.0.0.0 Mobile Safari/537.36 [FB_IAB/FB4A;FBAV/530.0.0.50.70;]",
}


def try_out(link: asyncpg.Record, *, agent: str, language: str, country: str, at: datetime) -> Tried:
    """What would happen to somebody with this agent and language at that moment who knows the password, if any."""
    routes = msgspec.convert(link["routes"], Routes)
    seen = agent_of(agent.encode("latin-1", "replace"))
    visit = Visit(seen, preferred(language), country.strip()[:2].upper(), at, agent.encode())
    blocked = passing.closed_because(link, at)
    choice = choose(routes, link["destination"], visit, link["id"])
    return Tried(
        destination="" if blocked else choice.destination,
        blocked=blocked,
        rule=0 if blocked else choice.rule,
        variant="" if blocked else choice.variant,
        device=seen.device,
        os=seen.os,
        browser=seen.browser,
        in_app=seen.in_app,
        language=visit.language,
        country=visit.country,
        rules=[
            RuleTried(
                number,
                all(check.holds for check in tried),
                [CheckView(check.part, check.wanted, check.seen, check.holds) for check in tried],
                rule.destination,
            )
            for number, rule in enumerate(routes.rules, 1)
            for tried in [checks(rule.when, visit)]
        ],
    )
