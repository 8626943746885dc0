"""One phone proves one account: who has it types the code; who has not finds nothing out and costs nobody much."""

import asyncio
import json
import re
from datetime import timedelta
from typing import Any

import httpx
import msgspec
import pytest

from app import clock, db, doctor, mail, phone_numbers, sms, valkey
from app.errors import TooMany
from app.http import Answer, CannotFetch
from app.settings import BadSetting, load, settings
from community.phones import codes, sending, service
from community.phones.codes import code_of
from tests.community.receiver import a_receiver
from tests.factories import Browser, Person, a_member, run_jobs, sign_in, submit, words_of

pytestmark = pytest.mark.anyio
DOOR = "/api/v1/me/phone"
MINE = "+49 171 1234567"
SECRET = "whsec_" + "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo0NTY3ODk="
ACCOUNT = "AC" + "0" * 32


def a_gateway(monkeypatch: pytest.MonkeyPatch, url: str, **more: Any) -> None:
    """The operator has set one up."""
    given = {"sms_url": url, "sms_secret": SECRET, "sms_countries": "+49 +1 -1876", **more}
    with_it = msgspec.structs.replace(settings(), **given)
    for place in (codes, sms, sending, doctor):
        monkeypatch.setattr(place, "settings", lambda: with_it)


async def ask(web: Browser, who: Person, number: str = MINE) -> httpx.Response:
    return await web(token=who.token).post(f"{DOOR}/codes", json={"number": number})


async def type_in(web: Browser, who: Person, code: str) -> httpx.Response:
    return await web(token=who.token).put(DOOR, json={"code": code})


async def the_code(who: Person) -> str:
    """What stands in the message."""
    row = await db.fetch_one("SELECT * FROM phone_code WHERE member_id = $1 ORDER BY id DESC LIMIT 1", who.id)
    assert row
    return code_of(row)


def another(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06d}"


async def prove(web: Browser, who: Person, number: str = MINE) -> httpx.Response:
    asked = await ask(web, who, number)
    assert asked.status_code == 202, asked.text
    return await type_in(web, who, await the_code(who))


async def proven() -> list[int]:
    return [row["member_id"] for row in await db.fetch("SELECT member_id FROM member_phone ORDER BY member_id")]


async def test_a_member_proves_a_number_on_the_page_and_takes_it_away_again(web: Browser):
    ann = await a_member("ann")
    browser = await sign_in(web(), ann)
    assert (await submit(browser, "/settings/phone/codes", {"number": "0171 1234567"}, page="/settings/phone")
            ).status_code == 422, "of which country?"  # fmt: skip
    sent = await submit(browser, "/settings/phone/codes", {"number": "0049 (0)171 123-4567"}, page="/settings/phone")
    assert sent.status_code == 303
    shown = await browser.get("/settings/phone")
    code = re.search(r'id="demo-code">(\d{6})<', shown.text)
    assert code and "+49…567" in words_of(shown.text)
    wrong = await submit(browser, "/settings/phone", {"code": another(code[1])}, page="/settings/phone")
    assert wrong.status_code == 422 and "4 tries are left" in words_of(wrong.text)
    typed = f"{code[1][:3]} {code[1][3:]}"
    assert (await submit(browser, "/settings/phone", {"code": typed}, page="/settings/phone")).status_code == 303
    assert "Proven" in words_of((await browser.get("/settings/phone")).text)
    await run_jobs()
    assert "was proven for your account" in words_of((await browser.get("/notifications/")).text)
    assert (await submit(browser, "/settings/phone/removal", {}, page="/settings/phone")).status_code == 303
    assert await proven() == []
    await run_jobs()
    assert "was removed from your account" in words_of((await browser.get("/notifications/")).text)
    assert (await web().get("/settings/phone")).status_code == 303, "a stranger signs in first"


async def test_what_is_kept_tells_neither_number_nor_code(web: Browser):
    ann = await a_member("ann")
    await prove(web, ann)
    kept = [dict(row) for table in ("member_phone", "phone_code") for row in await db.fetch(f"SELECT * FROM {table}")]
    told = await db.fetch("SELECT data::text FROM event") + await db.fetch("SELECT payload::text FROM pgqueuer")
    everything = f"{kept} {[tuple(row) for row in told]}"
    assert "1711234567" not in everything and await the_code(ann) not in [str(row.get("nonce")) for row in kept]
    row = await db.fetch_one("SELECT * FROM member_phone")
    assert row and codes.digits_in(row) == "491711234567"
    assert codes.digits_in({**dict(row), "member_id": ann.id + 1}) == "", "copied to another's row it does not open"  # type: ignore[arg-type]
    shown = (await web(token=ann.token).get(DOOR)).json()
    assert shown["number"] == "+49…567" and shown["code"] is None


async def test_one_number_proves_one_account_and_only_its_reader_hears_of_it(web: Browser):
    ann, bob = await a_member("ann"), await a_member("bob")
    await prove(web, ann)
    asked = await ask(web, bob, "+49 171 123 45 67")
    assert asked.status_code == 202 and asked.json()["state"] == "sent", "as if nobody had it"
    taken = await type_in(web, bob, await the_code(bob))
    assert taken.status_code == 409 and taken.json()["type"].endswith("/number-taken")
    assert "ann" not in taken.text.lower() and await proven() == [ann.id]
    assert (await web(token=ann.token).delete(DOOR)).status_code == 204
    clock.travel(timedelta(minutes=2))
    assert (await prove(web, bob)).status_code == 200 and await proven() == [bob.id]


@pytest.mark.parametrize(
    ("one", "other"),
    [("+49 171 1234567", "+49 0171 1234567"), ("+52 55 1234 5678", "+52 1 55 1234 5678"),
     ("+54 11 1234 5678", "+54 9 11 1234 5678"), ("+39 06 1234567", "0039 06 1234567")],
)  # fmt: skip
def test_two_ways_of_dialling_one_phone_are_one_number(one: str, other: str):
    first, second = phone_numbers.digits_of(one), phone_numbers.digits_of(other)
    assert phone_numbers.fingerprint(first) == phone_numbers.fingerprint(second) != ""
    assert phone_numbers.fingerprint(phone_numbers.digits_of("+49 171 1234568")) != phone_numbers.fingerprint(first)


@pytest.mark.parametrize(
    "typed",
    ["+1 212 555 010", "+1 212 555 0100 1", "+1 800 CALL NOW 1234567", "+49 171 1234567 ext. 5", "+0 171 1234567"],
)
def test_what_could_be_another_number_is_none(typed: str):
    assert phone_numbers.digits_of(typed) == ""
    assert phone_numbers.digits_of("+1 (212) 555-0100") == phone_numbers.digits_of("212 555 0100", "US") != ""


async def test_of_two_who_confirm_one_number_in_the_same_moment_one_has_it(web: Browser):
    people = [await a_member(f"twin{n}") for n in range(4)]
    for who in people:
        assert (await ask(web, who)).status_code == 202
    typed = [await the_code(who) for who in people]
    answers = await asyncio.gather(*(type_in(web, who, code) for who, code in zip(people, typed, strict=True)))
    assert sorted(answer.status_code for answer in answers) == [200, 409, 409, 409]
    assert len(await proven()) == 1


async def test_the_button_pressed_twice_proves_once(web: Browser):
    ann = await a_member("ann")
    await ask(web, ann)
    code = await the_code(ann)
    answers = await asyncio.gather(*(type_in(web, ann, code) for _ in range(3)))
    assert [answer.status_code for answer in answers] == [200, 200, 200]
    assert await db.fetch_val("SELECT count(*) FROM event WHERE type = 'PhoneProven'") == 1


async def test_who_guesses_has_five_tries_however_many_hands(web: Browser):
    eve = await a_member("eve")
    await ask(web, eve)
    code = await the_code(eve)
    wrong = [f"{(int(code) + n) % 1_000_000:06d}" for n in range(1, 11)]
    answers = await asyncio.gather(*(type_in(web, eve, guess) for guess in wrong))
    assert sorted(answer.status_code for answer in answers) == [410] * 6 + [422] * 4
    assert (await type_in(web, eve, code)).status_code == 410, "also the right one is too late now"
    assert await db.fetch_val("SELECT guesses FROM phone_code") == 5 and await proven() == []


async def test_a_code_is_good_for_ten_minutes_and_the_newest_alone(web: Browser):
    ann = await a_member("ann")
    await ask(web, ann)
    first = await the_code(ann)
    early = await ask(web, ann)
    assert early.status_code == 429 and 0 < int(early.headers["retry-after"]) <= 61
    clock.travel(timedelta(seconds=61))
    assert (await ask(web, ann)).status_code == 202
    second = await the_code(ann)
    if first != second:
        assert (await type_in(web, ann, first)).status_code == 422
    clock.travel(timedelta(minutes=11))
    assert (await type_in(web, ann, second)).status_code == 410 and await proven() == []


async def test_somebody_elses_code_is_nobodys(web: Browser):
    ann, eve = await a_member("ann"), await a_member("eve")
    await ask(web, ann)
    assert (await type_in(web, eve, await the_code(ann))).status_code == 410
    assert await proven() == []


async def test_who_pumps_messages_is_stopped_by_member_number_network_and_day(
    web: Browser, monkeypatch: pytest.MonkeyPatch
):
    """Also when the cache that counts other limits is emptied in between."""
    ann = await a_member("ann")
    clock.travel(timedelta(days=2))
    for n in range(6):
        await valkey.client().flushdb()
        answer = await ask(web, ann, f"+49 171 100000{n}")
        assert answer.status_code == (429 if n == codes.MOST_FOR_MEMBER else 202), answer.text
        clock.travel(timedelta(seconds=61))
    crowd = [await a_member(f"crowd{n}") for n in range(16)]
    asked = [await ask(web, who) for who in crowd[:6]]
    assert [one.status_code for one in asked] == [202] * 5 + [429], "one number, many accounts"
    more = [await ask(web, who, f"+49 171 20000{n:02d}") for n, who in enumerate(crowd[6:])]
    assert [one.status_code for one in more] == [202] * 10, "fifteen, and five, from here"
    assert (await ask(web, crowd[5], "+49 171 3000000")).status_code == 429, "one network"
    monkeypatch.setattr(codes, "MOST_FROM_NETWORK", 1000)
    a_gateway(monkeypatch, "https://gateway.example/", sms_a_day=20)
    assert (await ask(web, crowd[5], "+49 171 3000000")).status_code == 429, "the whole community, in a day"
    found = await doctor._messages()
    assert not found.ok and "20 of 20" in found.seen
    clock.travel(timedelta(days=1))
    assert (await ask(web, crowd[5], "+49 171 3000000")).status_code == 202


async def test_nobody_alone_keeps_the_owner_of_a_number_waiting_and_who_just_came_sends_little(web: Browser):
    eve, owner = await a_member("eve"), await a_member("owner")
    clock.travel(timedelta(days=2))
    asked = []
    for _ in range(3):
        asked.append((await ask(web, eve)).status_code)
        clock.travel(timedelta(seconds=61))
    assert asked == [202, 202, 429]
    assert (await ask(web, eve, "+49 171 7654321")).status_code == 202, "another number"
    assert (await ask(web, owner)).status_code == 202, "whose it is"
    newcomer = await a_member("newcomer")
    asked = []
    for n in range(3):
        asked.append((await ask(web, newcomer, f"+49 171 200000{n}")).status_code)
        clock.travel(timedelta(seconds=61))
    assert asked == [202, 202, 429]
    clock.travel(timedelta(days=1))
    asked = []
    for n in range(3):
        asked.append((await ask(web, newcomer, f"+49 171 200000{n}")).status_code)
        clock.travel(timedelta(seconds=61))
    assert asked == [202] * 3, "a day later they are known"


async def test_who_comes_from_nobody_knows_where_is_not_in_one_network_with_all_of_them(
    web: Browser, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(codes, "MOST_FROM_NETWORK", 1)
    ann, bob, eve = [await a_member(handle) for handle in ("ann", "bob", "eve")]
    await codes.ask(ann.viewer, "+49 171 2000001", address="")
    await codes.ask(bob.viewer, "+49 171 2000002", address="")
    await codes.ask(eve.viewer, "+49 171 2000003", address="192.0.2.1")
    with pytest.raises(TooMany):
        await codes.ask((await a_member("dan")).viewer, "+49 171 2000004", address="192.0.2.9")


async def test_a_number_typed_wrong_is_no_fault_of_the_gateways(web: Browser, monkeypatch: pytest.MonkeyPatch):
    twilio = PlayedTwilio()
    monkeypatch.setattr(sms, "fetch", twilio.fetch)
    a_gateway(monkeypatch, f"twilio://{ACCOUNT}", sms_secret="token", sms_from="+15005550006")
    for n, code in enumerate((21211, 21614, 21610)):
        twilio.next = Answer(400, {}, json.dumps({"code": code}).encode())
        await ask(web, await a_member(f"typo{n}"), f"+49 171 200000{n}")
        await run_jobs()
        found = await doctor._messages()
        assert found.ok and f"{n + 1} could not be sent" in found.seen
    twilio.next = Answer(401, {}, b'{"code": 20003}')
    await ask(web, await a_member("ann"))
    await run_jobs()
    twilio.next = Answer(400, {}, b'{"code": 21211}')
    await ask(web, await a_member("last"), "+49 171 2000009")
    await run_jobs()
    found = await doctor._messages()
    assert not found.ok and "twilio_20003" in found.seen, "whatever was typed wrong after"


async def test_ten_at_once_do_not_slip_past_the_count(web: Browser):
    crowd = [await a_member(f"crowd{n}") for n in range(10)]
    asked = await asyncio.gather(*(ask(web, who) for who in crowd))
    assert sorted(one.status_code for one in asked) == [202] * 5 + [429] * 5


async def test_only_countries_that_are_named_are_written_to(web: Browser, monkeypatch: pytest.MonkeyPatch):
    ann = await a_member("ann")
    a_gateway(monkeypatch, "https://gateway.example/")
    for number in ("+44 7911 123456", "+1 876 555 0100"):
        refused = await ask(web, ann, number)
        assert refused.status_code == 422 and "country" in refused.json()["errors"][0]["detail"]
    assert sms.may_reach("12125550100") and not sms.may_reach("18765550100")
    a_gateway(monkeypatch, "https://gateway.example/", sms_countries="")
    assert (await ask(web, ann)).status_code == 422, "a gateway alone opens nothing"
    assert not (await doctor._messages()).ok
    assert (await web(token=ann.token).get(DOOR)).json()["is_on"] is False
    assert await db.fetch_val("SELECT count(*) FROM phone_code") == 0


async def test_a_gateway_of_ones_own_gets_a_signed_message_and_the_same_again(
    web: Browser, monkeypatch: pytest.MonkeyPatch
):
    async with a_receiver(monkeypatch) as gateway:
        a_gateway(monkeypatch, gateway.url.replace("hooks.example", "127.0.0.1"))
        ann = await a_member("ann")
        await db.execute("UPDATE member SET lang = 'zh-Hans' WHERE id = $1", ann.id)
        assert (await ask(web, ann)).json()["state"] == "asked"
        gateway.answer = lambda message: (503, b"busy")
        with pytest.raises(sms.NotSent):
            await run_jobs()
        code_id = await db.fetch_val("SELECT id FROM phone_code")
        gateway.answer = lambda message: (202, b"")
        await sending.send_code(code_id)
        await sending.send_code(code_id)  # the job again: nothing more
        gateway.verify(SECRET)
        assert len(gateway.heard) == 2 and len(set(gateway.ids)) == 1
        said = gateway.messages[-1]
        code = await the_code(ann)
        assert said["to"] == "+491711234567" and said["text"].endswith(f"@test.example #{code}")
        assert "验证码" in said["text"]
        shown = (await web(token=ann.token).get(DOOR)).json()["code"]
        assert shown["state"] == "sent" and shown["demo_code"] == ""
        assert (await type_in(web, ann, code)).status_code == 200


async def test_what_cannot_be_sent_is_told_and_may_be_asked_for_at_once(web: Browser, monkeypatch: pytest.MonkeyPatch):
    async with a_receiver(monkeypatch) as gateway:
        a_gateway(monkeypatch, gateway.url.replace("hooks.example", "127.0.0.1"))
        ann = await a_member("ann")
        browser = await sign_in(web(), ann)
        gateway.answer = lambda message: (401, b"who are you?")
        await ask(web, ann)
        await run_jobs()
        assert "could not be sent" in words_of((await browser.get("/settings/phone")).text)
        found = await doctor._messages()
        assert not found.ok and "http_401" in found.seen
        gateway.answer = lambda message: (200, b"")
        assert (await submit(browser, "/settings/phone/codes", {"number": MINE}, page="/settings/phone")
                ).status_code == 303  # fmt: skip
        await run_jobs()
        assert "were sent to" in words_of((await browser.get("/settings/phone")).text)
        assert (await doctor._messages()).ok


async def test_a_change_is_told_by_mail_to_the_address_that_is_proven(web: Browser, monkeypatch: pytest.MonkeyPatch):
    sent = []

    async def note(to: str, subject: str, text: str) -> None:
        sent.append((to, text))

    monkeypatch.setattr(mail, "is_set_up", lambda: True)
    monkeypatch.setattr(mail, "send", note)
    ann, eve = await a_member("ann"), await a_member("eve", email_is_proven=False)
    await db.execute("UPDATE member SET lang = 'zh-Hans' WHERE id = $1", ann.id)
    await run_jobs()
    sent.clear()
    await prove(web, ann)
    await prove(web, eve, "+49 171 7654321")
    await run_jobs()
    assert [to for to, _text in sent] == ["ann@example.org"], "of Eve nobody knows whose address it is"
    assert "+49…567 已为您的账号验证" in sent[0][1] and "/settings/password" in sent[0][1]
    assert (await web(token=ann.token).delete(DOOR)).status_code == 204
    await run_jobs()
    assert "移除" in sent[1][1]


class PlayedTwilio:
    """Its Messages resource, by its documentation."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, str], str]] = []
        self.next: Any = Answer(201, {}, b'{"sid": "SM1", "status": "queued"}')

    async def fetch(self, method: str, url: str, *, content: bytes, headers: dict[str, str], **more: Any) -> Answer:
        from urllib.parse import parse_qs

        assert method == "POST"
        fields = {key: values[0] for key, values in parse_qs(content.decode()).items()}
        self.asked.append((url, fields, headers["Authorization"]))
        if isinstance(self.next, Exception):
            raise self.next
        return self.next


async def test_twilio_is_asked_as_it_wants_to_be_and_never_twice_in_doubt(
    web: Browser, monkeypatch: pytest.MonkeyPatch
):
    twilio = PlayedTwilio()
    monkeypatch.setattr(sms, "fetch", twilio.fetch)
    a_gateway(monkeypatch, f"twilio://{ACCOUNT}", sms_secret="token", sms_from="+15005550006")
    ann = await a_member("ann")
    await ask(web, ann)
    await run_jobs()
    url, fields, authorization = twilio.asked[0]
    assert url == f"https://api.twilio.com/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
    assert authorization == httpx.BasicAuth(ACCOUNT, "token")._auth_header
    assert (fields["To"], fields["From"]) == ("+491711234567", "+15005550006") and fields["ValidityPeriod"] == "600"
    assert await the_code(ann) in fields["Body"]

    async def again(answer: Any) -> tuple[str, str]:
        """Another code, answered so; the state and the reason."""
        twilio.next = answer
        clock.travel(timedelta(hours=25))
        await ask(web, ann)
        await run_jobs()
        row = await db.fetch_one("SELECT state, why FROM phone_code ORDER BY id DESC LIMIT 1")
        assert row
        return row["state"], row["why"]

    refused = json.dumps({"code": 21211, "message": "Invalid 'To' Phone Number", "status": 400}).encode()
    assert await again(Answer(400, {}, refused)) == ("failed", "twilio_21211")
    count = len(twilio.asked)
    assert await again(CannotFetch("timeout", "")) == ("sent", "timeout"), "it may be out: no second message"
    assert await again(Answer(500, {}, b"<html>")) == ("sent", "http_500")
    assert len(twilio.asked) == count + 2
    with pytest.raises(sms.NotSent):
        await again(Answer(429, {}, b"{}"))
    count = len(twilio.asked)
    code_id = await db.fetch_val("SELECT max(id) FROM phone_code")
    # A worker that died in the middle of the try: nobody knows whether it went out.
    await db.execute("UPDATE phone_code SET why = '' WHERE id = $1", code_id)
    await sending.send_code(code_id)
    assert len(twilio.asked) == count
    assert await db.fetch_val("SELECT why FROM phone_code WHERE id = $1", code_id) == "unknown"
    a_gateway(monkeypatch, f"twilio://SK{'1' * 32}@{ACCOUNT}", sms_secret="key", sms_from="MG" + "2" * 32)
    assert await again(Answer(201, {}, b"{}")) == ("sent", "")
    url, fields, authorization = twilio.asked[-1]
    assert ACCOUNT in url and fields["MessagingServiceSid"].startswith("MG") and "From" not in fields
    assert authorization == httpx.BasicAuth("SK" + "1" * 32, "key")._auth_header


@pytest.mark.parametrize("answer", [CannotFetch("timeout", ""), Answer(503, {}, b"")], ids=["timeout", "503"])
async def test_a_message_that_is_perhaps_out_counts_and_its_code_holds(
    web: Browser, monkeypatch: pytest.MonkeyPatch, answer: Any
):
    """Else whoever makes the gateway stumble sends as many as they like, to whom they like."""
    twilio = PlayedTwilio()
    twilio.next = answer
    monkeypatch.setattr(sms, "fetch", twilio.fetch)
    a_gateway(monkeypatch, f"twilio://{ACCOUNT}", sms_secret="token", sms_from="+15005550006")
    ann = await a_member("ann")
    assert (await ask(web, ann)).status_code == 202
    await run_jobs()
    early = await ask(web, ann)
    assert early.status_code == 429 and int(early.headers["retry-after"]) <= 61, "it waits its minute"
    shown = (await web(token=ann.token).get(DOOR)).json()["code"]
    assert shown["state"] == "sent"
    assert not (await doctor._messages()).ok, "the operator still reads what the gateway said"
    assert (await type_in(web, ann, await the_code(ann))).status_code == 200, "it did come"
    crowd = [await a_member(f"crowd{n}") for n in range(6)]
    asked = []
    for who in crowd:
        asked.append((await ask(web, who)).status_code)
        await run_jobs()
    assert asked == [202] * 4 + [429] * 2 and len(twilio.asked) == 5, "one number, many accounts"


async def test_a_gateway_of_ones_own_that_had_it_perhaps_counts_it_whatever_it_says_after(
    web: Browser, monkeypatch: pytest.MonkeyPatch
):
    twilio = PlayedTwilio()

    async def fetch(method: str, url: str, **more: Any) -> Answer:
        if isinstance(twilio.next, Exception):
            raise twilio.next
        return twilio.next

    monkeypatch.setattr(sms, "fetch", fetch)
    a_gateway(monkeypatch, "https://gateway.example/")
    ann = await a_member("ann")

    async def at_last(first: Any, then: Answer) -> str:
        clock.travel(timedelta(minutes=2))
        await ask(web, ann)
        twilio.next = first
        with pytest.raises(sms.NotSent):
            await run_jobs()
        twilio.next = then
        code_id = await db.fetch_val("SELECT max(id) FROM phone_code")
        await sending.send_code(code_id)
        state: str = await db.fetch_val("SELECT state FROM phone_code WHERE id = $1", code_id)
        return state

    refused = Answer(400, {}, b"")
    assert await at_last(Answer(429, {}, b""), refused) == "failed"
    assert await at_last(CannotFetch("no_such_host", ""), refused) == "failed"
    assert await at_last(CannotFetch("timeout", ""), refused) == "sent"


async def test_nobody_proves_a_number_that_no_message_has_gone_to(web: Browser, monkeypatch: pytest.MonkeyPatch):
    twilio = PlayedTwilio()
    monkeypatch.setattr(sms, "fetch", twilio.fetch)
    a_gateway(monkeypatch, f"twilio://{ACCOUNT}", sms_secret="token", sms_from="+15005550006")
    eve = await a_member("eve")
    assert (await ask(web, eve, "+49 171 00000000")).status_code == 202
    early = await type_in(web, eve, await the_code(eve))
    assert early.status_code == 422 and "not gone out yet" in early.text and await proven() == []
    assert await db.fetch_val("SELECT guesses FROM phone_code") == 0, "nor does it cost a try"
    await run_jobs()
    assert (await type_in(web, eve, await the_code(eve))).status_code == 200


async def test_production_without_a_gateway_shows_no_code_to_anybody(web: Browser, monkeypatch: pytest.MonkeyPatch):
    a_gateway(monkeypatch, "", env="production")
    ann = await a_member("ann")
    assert (await ask(web, ann)).status_code == 422
    assert "cannot send messages" in words_of((await (await sign_in(web(), ann)).get("/settings/phone")).text)


async def test_an_erased_members_number_is_gone_and_old_codes_go_by_themselves(web: Browser):
    from app import people
    from community.phones.jobs import forget_old_codes

    ann, bob = await a_member("ann"), await a_member("bob")
    await prove(web, ann)
    await service.remove(ann.viewer)
    clock.travel(timedelta(minutes=2))
    await prove(web, ann)
    await ask(web, bob, "+49 171 7654321")
    await people.erase("ann")
    assert await proven() == []
    assert await db.fetch_val("SELECT count(*) FROM phone_code") == 1
    log = [tuple(row) for row in await db.fetch("SELECT type, data::text FROM event WHERE type LIKE 'Phone%'")]
    assert log and "+49" not in str(log) and "567" not in str(log), "what happened stays, without the number"
    clock.travel(timedelta(days=2, minutes=1))
    await forget_old_codes()
    assert await db.fetch_val("SELECT count(*) FROM phone_code") == 0


async def test_only_the_page_of_the_owner_changes_it(web: Browser):
    ann, eve = await a_member("ann"), await a_member("eve")
    await prove(web, ann)
    assert (await web().get(DOOR)).status_code == 401
    assert (await web(token=eve.token).delete(DOOR)).status_code == 404
    assert (await web(token=eve.token).get(DOOR)).json()["number"] is None
    assert await proven() == [ann.id]
    browser = await sign_in(web(), ann)
    assert (await browser.post("/settings/phone/removal")).status_code == 403, "not from another page"
    assert service.MOST_GUESSES == 5


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("SMS_URL", {"SMS_URL": "ftp://gateway.example"}),
        ("SMS_SECRET", {"SMS_URL": "https://gateway.example"}),
        ("SMS_SECRET", {"SMS_URL": "https://gateway.example", "SMS_SECRET": "whsec_short"}),
        ("SMS_URL", {"SMS_URL": "twilio://AC12", "SMS_SECRET": "t", "SMS_FROM": "+15005550006"}),
        ("SMS_SECRET", {"SMS_URL": f"twilio://{ACCOUNT}", "SMS_FROM": "+15005550006"}),
        ("SMS_FROM", {"SMS_URL": f"twilio://{ACCOUNT}", "SMS_SECRET": "t"}),
        ("SMS_COUNTRIES", {"SMS_COUNTRIES": "49"}),
        ("SMS_A_DAY", {"SMS_A_DAY": "0"}),
    ],
)
def test_a_gateway_that_cannot_work_is_told_at_the_start(name: str, given: dict[str, str]):
    with pytest.raises(BadSetting, match=f"GRAPEVINE_{name}"):
        load({f"GRAPEVINE_{key}": value for key, value in given.items()})
    good = {"SMS_URL": "https://gateway.example", "SMS_SECRET": SECRET, "SMS_COUNTRIES": "+1 -1876"}
    assert load({f"GRAPEVINE_{key}": value for key, value in good.items()}).sms_a_day == 200
