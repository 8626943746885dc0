// What follows from what in a room, without a page: tests/frontend/chat.test.mjs runs this in Node.
const SAME_MS = 300_000

export const dayOf = (at) => new Date(at).toDateString()

// Whether `later` goes on where `earlier` stopped: one author, soon after, on one day. Each is { author, at } or nothing.
export function goesOn(earlier, later) {
  return Boolean(earlier?.author)
    && earlier.author === later.author
    && dayOf(earlier.at) === dayOf(later.at)
    && Math.abs(Date.parse(later.at) - Date.parse(earlier.at)) < SAME_MS
}

// A day as people say it: today, yesterday, a weekday with its date; the year only when it is another one.
export function dayName(at, lang, now = new Date()) {
  const day = new Date(at)
  const days = Math.round((new Date(now).setHours(0, 0, 0, 0) - new Date(day).setHours(0, 0, 0, 0)) / 86_400_000)
  if (days === 0 || days === 1) {
    const word = new Intl.RelativeTimeFormat(lang, { numeric: "auto" }).format(-days, "day")
    return word[0].toLocaleUpperCase(lang) + word.slice(1)
  }
  const year = day.getFullYear() === now.getFullYear() ? undefined : "numeric"
  return day.toLocaleDateString(lang, { weekday: "long", day: "numeric", month: "long", year })
}

// A moment to come, as short as it is clear: the hour when it is today, else with its day.
export function momentOf(at, lang, now = new Date()) {
  const hour = { hour: "2-digit", minute: "2-digit" }
  const day = dayOf(at) === dayOf(now) ? {} : { day: "numeric", month: "long", year: new Date(at).getFullYear() === now.getFullYear() ? undefined : "numeric" }
  return new Date(at).toLocaleString(lang, { ...day, ...hour })
}

// Of events that came together: those that are next in order, and whether one is missing before the rest.
export function inOrder(seq, events, { mayJump = false } = {}) {
  const next = []
  for (const event of events) {
    if (event.seq <= seq) continue
    if (event.seq > seq + 1 && !mayJump) return { next, seq, hasGap: true }
    seq = event.seq
    next.push(event)
  }
  return { next, seq, hasGap: false }
}

// The rooms (as `where` gives them) of which a server told more than arrived here, or which it tells us no more.
export function missing(where, told, closed = new Set()) {
  return Object.fromEntries(Object.entries(where).filter(([room, { seq }]) => !closed.has(room) && !(told[room] <= seq)))
}

// What a screen reader says of new messages: the words of a few, the number of many; nothing of one's own, nor of whom
// one has blocked.
export function toHear(events, me, words, blocked = []) {
  const said = events.filter(
    ({ kind, author, gone }) => kind === "message" && !gone && author?.id !== me && !blocked.includes(author?.id),
  )
  if (said.length > 3) return words.many.replace("{n}", said.length)
  return said.map(({ author, body }) => `${author?.name ?? ""}: ${body}`).join("\n")
}

// What an event changes in the few words the list of rooms shows of what was said last (message `last`): "new" words,
// "other" words, "ask" the server which are the last now, or nothing.
export function previewOf({ kind, id, gone, author }, last, blocked = []) {
  if (kind === "message") return gone || blocked.includes(author?.id) ? "" : "new"
  if (kind === "delete") return id === last ? "ask" : ""
  if (kind !== "edit") return ""
  // Without an author nobody changed words: a card came, or moderators gave back what they had withheld. Perhaps the last.
  if (id === last) return author ? "other" : ""
  return Number(id) > Number(last ?? 0) ? "ask" : ""
}

// What an event changes in what is shown: as community/chat/snapshot.py says it for the server.
export function changeOf({ kind, gone, body = "", files = [] }) {
  if (kind === "message") return { isMessage: true }
  if (kind === "join" || kind === "leave") return { isLine: true }
  if (kind === "edit") return { words: true, marks: true, quote: excerpt(body || files[0]?.name || "") }
  if (kind === "delete") return { isGone: true, quote: "" }
  if ((kind === "react" || kind === "pin") && !gone) return { marks: true }
  return {}
}

function excerpt(words) {
  const plain = words.replace(/\s+/g, " ").trim()
  return plain.length > 80 ? `${plain.slice(0, 79).trimEnd()}…` : plain
}

// How long to wait before the nth try: longer each time, and never all pages at once.
export function pauseBefore(failures, { first = 500, longest = 30_000, chance = Math.random() } = {}) {
  return Math.min(longest, first * 2 ** failures) * (0.5 + chance / 2)
}
