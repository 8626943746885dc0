// The list of rooms beside a room stays true while one sits in one of them: what is new there, and what was said last.
const MOST_HEARD = 30

export class ChatRooms {
  #links = new Map()
  #here
  #list
  #me

  constructor(list, me) {
    this.#me = me
    // A list nobody sees (on a phone) need not be told anything.
    if (!list?.checkVisibility()) return
    this.#list = list
    this.#here = list.querySelector("a[data-room][aria-current]")
    for (const link of [...list.querySelectorAll("a[data-room]:not([aria-current])")].slice(0, MOST_HEARD)) {
      this.#links.set(link.dataset.room, link)
    }
  }

  // What the line listens to beside its own room.
  where(rooms = [...this.#links.keys()]) {
    return Object.fromEntries(rooms.map((room) => [room, { seq: Number(this.#links.get(room).dataset.seq) }]))
  }

  // Somebody began to write to the member: their line comes into the list, as the server shows it. Whether it did.
  async beginWith(room) {
    if (!this.#list || this.#links.has(room) || this.#list.querySelector(`a[aria-current][data-room="${CSS.escape(room)}"]`)) return false
    const answer = await fetch("/chat/").catch(() => null)
    if (!answer?.ok) return false
    const page = new DOMParser().parseFromString(await answer.text(), "text/html")
    const link = page.querySelector(`.rooms a[data-room="${CSS.escape(room)}"]`)
    if (!link || this.#links.has(room)) return false
    this.#list.querySelector(`a[data-room="${CSS.escape(room)}"]`)?.remove()
    const first = this.#list.querySelector("a[data-room]")
    if (first) first.before(link)
    else this.#list.append(link)
    this.#links.set(room, link)
    return true
  }

  hear(frame) {
    const { type, room, events = [] } = frame
    const link = this.#links.get(room)
    if (!link) return
    if (type === "presence") return this.#light(link, frame)
    if (type === "read") return this.#count(link, 0)
    if (type === "resync") return this.#count(link, this.#unread(link) + 1)
    if (type !== "events") return
    for (const event of events) {
      if (event.seq <= Number(link.dataset.seq)) continue
      link.dataset.seq = event.seq
      if (event.kind === "message") this.#tell(link, event)
    }
  }

  // What is said in the open room, which has no number of its own.
  hearHere(event) {
    if (this.#here) this.#tell(this.#here, event)
  }

  // Whether the other one is here, in a room of two; only who may see it is told.
  #light(link, { members, came = [], went = [] }) {
    const partner = link.querySelector("[data-partner]")?.dataset.partner
    if (!partner) return
    const isIn = (members ?? came).some(({ id }) => id === partner)
    if (!isIn && !members && !went.includes(partner)) return
    link.classList.toggle("here", isIn)
    if (isIn) link.setAttribute("aria-description", link.parentElement.dataset.here)
    else link.removeAttribute("aria-description")
  }

  #tell(link, { author, body = "", files = [] }) {
    const isMine = author.id === this.#me
    const words = `${body || files[0]?.name || ""}`.replace(/\*\*|~~|`/g, "").replace(/\s+/g, " ").slice(0, 60)
    const speaker = isMine ? this.#list.dataset.you : link.querySelector("[data-partner]") ? "" : author.name
    link.querySelector(".who > span").textContent = speaker ? `${speaker}: ${words}` : words
    link.parentElement.querySelector("a[data-room]").before(link)
    if (!isMine) this.#count(link, this.#unread(link) + 1)
  }

  #unread(link) {
    const count = link.querySelector(".count:not(.called)")
    return Number(count?.dataset.n ?? parseInt(count?.textContent ?? "0"))
  }

  // A muted room has no place for a number.
  #count(link, n) {
    const place = link.querySelector(".counts")
    if (!place) return
    if (!n) return place.replaceChildren()
    let count = place.querySelector(".count:not(.called)")
    if (!count) place.append((count = Object.assign(document.createElement("span"), { className: "count" })))
    count.dataset.n = n
    count.textContent = n > 99 ? "99+" : n
  }
}
