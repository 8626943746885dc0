// What was written in a room and waits goes out from any page of ours, also when its own room is not open; and the list
// of rooms says where something was not sent.
import { ChatOutbox, roomsWaiting } from "./chat-outbox.js"
import { bringFiles, post } from "./chat-post.js"
import { ChatTabs } from "./chat-tabs.js"

// Its own page may be about to send it.
const YOUNG = 15_000
const AGAIN = 30_000
let timer
let isAtIt = false

export function bringOut() {
  if (!isAtIt) turn()
}

async function turn() {
  clearTimeout(timer)
  isAtIt = true
  const { member } = document.body.dataset
  try {
    if (member) for (const room of roomsWaiting(member)) await bringOutOf(member, room)
  } finally {
    isAtIt = false
  }
  const rooms = member ? roomsWaiting(member) : []
  mark(member, rooms)
  if (rooms.length) timer = setTimeout(turn, AGAIN)
}

async function bringOutOf(member, room) {
  // The page of a room sends its own.
  if (document.querySelector("chat-room")?.dataset.room === room) return
  const [outbox, tabs] = [new ChatOutbox(member, room), new ChatTabs(member, room)]
  await tabs.lead(async () => {
    for (const message of outbox.list()) {
      if (message.failed || message.isOld || Date.now() - message.at < YOUNG) continue
      if (!(await send(room, outbox, tabs, message))) return
    }
  })
  tabs.close()
}

// Whether to go on with the next one.
async function send(room, outbox, tabs, message) {
  const { client_id, files = [] } = message
  const brought = files.some(({ key }) => key) ? await bringFiles(room, token(), outbox, message) : { ok: true }
  // Its own page has the words for that.
  if (brought.lost) return true
  const { ok, isFinal, detail, said } = brought.ok ? await post(room, token(), outbox.find(client_id) ?? message) : brought
  if (ok) {
    outbox.remove(client_id)
    tabs.tell("acked", { client_id, id: said?.id })
  } else if (isFinal) {
    outbox.change(client_id, { failed: detail || " " })
    tabs.tell("failed", { message: outbox.find(client_id) })
  }
  return ok || isFinal
}

function token() {
  return JSON.parse(document.body.getAttribute("hx-headers:inherited"))["X-CSRF-Token"]
}

function mark(member, rooms) {
  const here = document.querySelector("chat-room")?.dataset.room
  for (const link of document.querySelectorAll(".rooms a[data-room]")) {
    const { room } = link.dataset
    const n = rooms.includes(room) && room !== here ? new ChatOutbox(member, room).list().length : 0
    const mark = link.querySelector(".unsent") ?? Object.assign(document.createElement("span"), { className: "unsent" })
    if (n) link.querySelector(".who").append(mark)
    else mark.remove()
    mark.textContent = link.parentElement.dataset.unsent?.replace("{n}", n)
  }
}

addEventListener("online", bringOut)
document.addEventListener("htmx:after:swap", bringOut)
