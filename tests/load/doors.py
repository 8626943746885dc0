"""The public doors a load goes through before it begins: members, groups, tickets. And small change of all loads."""

import http.client
import json
import os
import urllib.request
from array import array
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit


def call(base: str, method: str, door: str, body: dict | None = None, token: str = "") -> dict:
    headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(f"{base}/api/v1{door}", data, headers, method=method)
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.load(answer)


def sign_up(base: str, members: int = 4) -> list[str]:
    """The tokens of so many new members."""
    tokens = []
    for _ in range(members):
        handle, password = f"load_{os.urandom(4).hex()}", os.urandom(12).hex()
        call(base, "POST", "/members", {"handle": handle, "email": f"{handle}@example.org", "password": password})
        tokens.append(call(base, "POST", "/tokens", {"login": handle, "password": password})["token"])
    return tokens


def found_rooms(base: str, tokens: list[str], count: int) -> list[str]:
    """The rooms of so many new groups, with all of these members in each."""
    name, rooms = f"load-{os.urandom(4).hex()}", []
    for number in range(count):
        slug = f"{name}-{number}"
        # Members take turns: nobody may found very many groups an hour.
        group = call(base, "POST", "/groups", {"slug": slug, "name": "Load"}, tokens[number % len(tokens)])
        for token in tokens:
            call(base, "PUT", f"/groups/{slug}/membership", token=token)
        rooms.append(group["room_id"])
    return rooms


def turns(tokens: list[str], first: int, count: int) -> list[str]:
    """The tokens of the lines from `first` on; where there are fewer members than lines, they take turns."""
    return [tokens[number % len(tokens)] for number in range(first, first + count)]


def take_tickets(base: str, tokens: list[str], lines: int = 8) -> list[str]:
    """A ticket to the live socket for each of these tokens, in their order."""
    place = urlsplit(base)

    def take(first: int) -> list[str]:
        line = http.client.HTTPConnection(place.netloc, timeout=20)
        taken = []
        for token in tokens[first::lines]:
            line.request("POST", "/api/v1/live/ticket", headers={"Authorization": f"Bearer {token}"})
            taken.append(json.loads(line.getresponse().read())["ticket"])
        line.close()
        return taken

    tickets = [""] * len(tokens)
    with ThreadPoolExecutor(lines) as pool:
        for first, some in enumerate(pool.map(take, range(lines))):
            tickets[first::lines] = some
    return tickets


def quantiles(name: str, values: array) -> dict[str, float | None]:
    ordered = sorted(values)
    at = {"p50": 0.5, "p99": 0.99, "max": 1.0}
    return {
        f"{name}_{key}": round(ordered[min(len(ordered) - 1, int(len(ordered) * part))] / 1000, 1) if ordered else None
        for key, part in at.items()
    }


def cpu_of(pid: int) -> float:
    """Seconds of processor time it has used."""
    if not pid:
        return 0.0
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_of(pid: int) -> int:
    """Resident bytes."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
