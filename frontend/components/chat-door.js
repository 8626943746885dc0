// A form's door, knocked at without leaving the page. What it did comes back as an event of the room.

// { ok, isFinal, detail, said }: whether it was done; whether another try cannot change the answer; what was said.
export async function knock(address, fields, { keepalive = false } = {}) {
  try {
    const answer = await fetch(address, {
      method: "POST",
      body: fields,
      headers: { Accept: "application/json" },
      // A door for people answers with a page to go to: it is done, and we stay here.
      redirect: "manual",
      keepalive,
    })
    if (answer.type === "opaqueredirect" || answer.status === 204) return { ok: true }
    const said = answer.headers.get("Content-Type")?.includes("json") ? await answer.json() : {}
    return { ok: answer.ok, isFinal: answer.status < 500 && answer.status !== 429, detail: detailOf(said), said }
  } catch {
    return { ok: false, isFinal: false, detail: "" }
  }
}

// The sentence of a problem: about its fields, if it names some.
export function detailOf({ errors = [], detail = "" }) {
  return errors.map((one) => one.detail).join(" ") || detail
}
