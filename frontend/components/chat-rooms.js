// The list of rooms beside a room stays true while one sits in one of them: what is new there, and what was said last.
import { previewOf } from "./chat-rules.js"

const MOST_HEARD = 30
const PATIENCE = 1_500
const SELDOM = 15_000

export class ChatRooms {
  #links = new Map()
  #here
  #list
  #me
  #blocked
  #handle
  #doubted = new Set()
  #askedAt = Date.now()
  #timer

  // `blocked()` gives the ids of those whose words the member does not want to read.
  constructor(list, { member, handle }, blocked) {
    this.#me = member
    this.#handle = handle
    this.#blocked = blocked
    // A list nobody sees (on a phone) need not be told anything.
    if (!list?.checkVisibility()) return
    this.#list = list
    this.#gather()
  }

  // What the line listens to beside its own room.
  where(rooms = [...this.#links.keys()]) {
    return Object.fromEntries(rooms.map((room) => [room, { seq: Number(this.#links.get(room).dataset.seq) }]))
  }

  // Somebody began to write to the member: their line comes into the list, as the server shows it. Whether it did.
  async beginWith(room) {
    if (!this.#list || this.#links.has(room) || this.#list.querySelector(`a[aria-current][data-room="${CSS.escape(room)}"]`)) return false
    const link = linkTo(room, await theList())
    if (!link || this.#links.has(room)) return false
    this.#list.querySelector(`a[data-room="${CSS.escape(room)}"]`)?.remove()
    const first = this.#list.querySelector("a[data-room]")
    if (first) first.before(link)
    else this.#list.append(link)
    this.#links.set(room, link)
    return true
  }

  // Where nothing is told by itself: the list as the server has it, four times a minute.
  async askNow() {
    if (!this.#list?.checkVisibility() || Date.now() - this.#askedAt < SELDOM || this.#list.contains(document.activeElement)) return
    this.#askedAt = Date.now()
    const [fresh, here] = [(await theList())?.querySelector(".rooms"), this.#here?.dataset.room]
    if (!fresh) return
    const link = here && fresh.querySelector(`a[data-room="${CSS.escape(here)}"]`)
    link?.setAttribute("aria-current", "page")
    link?.querySelector(".counts")?.remove()
    this.#list.replaceChildren(...fresh.childNodes)
    this.#gather()
  }

  hear(frame) {
    const { type, room, events = [] } = frame
    const link = this.#links.get(room)
    if (!link) return
    if (type === "presence") return this.#light(link, frame)
    if (type === "read") return this.#count(link, 0)
    if (type === "resync") {
      this.#doubt(room)
      return this.#count(link, this.#unread(link) + 1)
    }
    if (type !== "events") return
    for (const event of events) {
      if (event.seq <= Number(link.dataset.seq)) continue
      link.dataset.seq = event.seq
      this.#take(link, event)
      const isNews = event.kind === "message" && ![this.#me, ...this.#blocked()].includes(event.author?.id)
      if (isNews) this.#count(link, this.#unread(link) + 1)
      if (isNews && event.html?.includes(`href="/@${this.#handle}"`)) this.#call(link)
    }
  }

  // A bell rang: by name, by an answer, with everybody. Only the server knows for sure who is called in which room.
  recount() {
    for (const room of this.#links.keys()) this.#doubt(room)
  }

  // What happens in the open room, which has no number of its own.
  hearHere(event) {
    if (this.#here) this.#take(this.#here, event)
  }

  close() {
    clearTimeout(this.#timer)
  }

  #gather() {
    this.#here = this.#list.querySelector("a[data-room][aria-current]")
    const others = [...this.#list.querySelectorAll("a[data-room]:not([aria-current])")].slice(0, MOST_HEARD)
    this.#links = new Map(others.map((link) => [link.dataset.room, link]))
  }

  #take(link, event) {
    const change = previewOf(event, link.dataset.last, this.#blocked())
    if (change === "ask") return this.#doubt(link.dataset.room)
    if (!change) return
    const { author, body = "", files = [] } = event
    const isMine = author.id === this.#me
    const words = `${body || files[0]?.name || ""}`.replace(/\*\*|~~|`/g, "").replace(/\s+/g, " ").slice(0, 60)
    const speaker = isMine ? this.#list.dataset.you : link.querySelector("[data-partner]") ? "" : author.name
    link.querySelector(".who > span").textContent = speaker ? `${speaker}: ${words}` : words
    link.dataset.last = event.id
    if (change === "new") link.parentElement.querySelector("a[data-room]").before(link)
  }

  // What was said last there is gone, or came back: the server knows what is the last now. Everybody in the room hears
  // of it at once; they need not all ask at once.
  #doubt(room) {
    this.#doubted.add(room)
    this.#timer ??= setTimeout(async () => {
      const rooms = [...this.#doubted]
      this.#doubted.clear()
      this.#timer = undefined
      const page = await theList()
      for (const room of rooms) {
        const [link, now] = [this.#list.querySelector(`a[data-room="${CSS.escape(room)}"]`), linkTo(room, page)]
        if (!link || !now) continue
        link.querySelector(".who > span").textContent = now.querySelector(".who > span").textContent
        if (now.dataset.last) link.dataset.last = now.dataset.last
        else delete link.dataset.last
        // Unless more was said while that page was on its way.
        if (Number(now.dataset.seq) < Number(link.dataset.seq) || link === this.#here) continue
        link.dataset.seq = now.dataset.seq
        link.querySelector(".counts")?.replaceChildren(...(now.querySelector(".counts")?.childNodes ?? []))
      }
    }, Math.random() * PATIENCE)
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

  #call(link) {
    const place = link.querySelector(".counts")
    const count = place?.querySelector(".called") ?? Object.assign(document.createElement("span"), { className: "count called" })
    count.textContent = `@${parseInt(count.textContent.slice(1) || "0") + 1}`
    place?.prepend(count)
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

// The server's own list, as a page; nothing when it could not be had.
async function theList() {
  const answer = await fetch("/chat/").catch(() => null)
  return answer?.ok ? new DOMParser().parseFromString(await answer.text(), "text/html") : null
}

function linkTo(room, page) {
  return page?.querySelector(`.rooms a[data-room="${CSS.escape(room)}"]`)
}
