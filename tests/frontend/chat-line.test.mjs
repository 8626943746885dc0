// The line to a room on a world made for it: sockets that open, fall silent or are refused, and a clock that is ours.
import assert from "node:assert/strict"
import { afterEach, beforeEach, mock, test } from "node:test"

const world = new EventTarget()
let sockets, page, seq, polls, answerPoll

class FakeSocket {
  static CONNECTING = 0
  static OPEN = 1
  static CLOSING = 2
  readyState = 0
  sent = []
  constructor() {
    sockets.push(this)
  }
  open() {
    this.readyState = 1
    this.onopen?.()
  }
  tell(frame) {
    this.onmessage?.({ data: JSON.stringify(frame) })
  }
  lose(code = 1006) {
    this.readyState = 3
    this.onclose?.({ code })
  }
  send(text) {
    this.sent.push(JSON.parse(text))
  }
  close() {
    this.readyState = 2
  }
}

globalThis.WebSocket = FakeSocket
globalThis.location = { origin: "http://grapevine.example" }
globalThis.document = Object.assign(new EventTarget(), { hidden: false })
globalThis.addEventListener = world.addEventListener.bind(world)
globalThis.removeEventListener = world.removeEventListener.bind(world)
globalThis.fetch = async (address) => {
  polls.push(address)
  return answerPoll()
}
const { ChatLine } = await import("../../frontend/components/chat-line.js")

let line
beforeEach(() => {
  mock.timers.enable({ apis: ["setTimeout", "setInterval", "Date"] })
  sockets = []
  polls = []
  page = []
  seq = 12
  answerPoll = () => ({ ok: true, status: 200, json: async () => [] })
  line = new ChatLine("7", () => ({ 7: { seq, epoch: "e" } }))
  for (const name of ["state", "events", "refused", "resync", "elsewhere"])
    line.addEventListener(name, ({ detail }) => page.push([name, detail?.state ?? detail]))
  line.open()
})
afterEach(() => {
  line.close()
  mock.timers.reset()
})

const states = () => page.filter(([name]) => name === "state").map(([, state]) => state)
const settled = async () => {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve()
}
function welcome() {
  sockets.at(-1).open()
  sockets.at(-1).tell({ type: "welcome", rooms: { 7: { seq: 12, epoch: "e" } } })
}

test("it asks from where the page stands, also after every cut", () => {
  welcome()
  assert.deepEqual(sockets[0].sent, [{ type: "hello", rooms: { 7: { seq: 12, epoch: "e" } } }])
  seq = 20
  sockets[0].lose(1012)
  mock.timers.tick(2_000)
  assert.equal(sockets.length, 2)
  welcome()
  assert.equal(sockets[1].sent[0].rooms[7].seq, 20)
  assert.deepEqual(states(), ["on", "off", "on"])
})

test("a line that went dead without a word is noticed when the page wakes, and left", () => {
  welcome()
  mock.timers.tick(10_000)
  world.dispatchEvent(new Event("online"))
  assert.equal(sockets[0].sent.at(-1).type, "ping")
  mock.timers.tick(5_001)
  assert.equal(sockets.length, 2, "no answer came, so there is a new line")
  welcome()
  world.dispatchEvent(new Event("online"))
  mock.timers.tick(10)
  sockets[1].tell({ type: "pong" })
  mock.timers.tick(6_000)
  assert.equal(sockets.length, 2, "an answered line is kept")
})

test("where upgrades are refused it polls by itself, and comes back as soon as a socket can be had", async () => {
  for (let n = 0; n < 3; n += 1) {
    sockets.at(-1).lose()
    mock.timers.tick(5_000)
  }
  await settled()
  assert.deepEqual(states(), ["off", "polling"])
  assert.deepEqual([...new Set(polls)], ["/chat/7/events?after=12"])
  assert.equal(line.isPolling, true)
  const before = polls.length
  mock.timers.tick(3_000)
  await settled()
  assert.ok(polls.length > before)
  mock.timers.tick(60_000)
  welcome()
  assert.deepEqual(states(), ["off", "polling", "on"])
  const asked = polls.length
  mock.timers.tick(30_000)
  await settled()
  assert.equal(polls.length, asked, "nobody polls beside a socket")
})

test("a line that once worked and is then blocked is polled, too", async () => {
  welcome()
  for (let n = 0; n < 3; n += 1) {
    sockets.at(-1).lose()
    mock.timers.tick(10_000)
  }
  await settled()
  assert.equal(states().at(-1), "polling")
})

test("offline is not the same as blocked: where polls fail too, it says so", async () => {
  answerPoll = () => {
    throw new TypeError("offline")
  }
  for (let n = 0; n < 4; n += 1) {
    sockets.at(-1).lose()
    mock.timers.tick(20_000)
    await settled()
  }
  assert.deepEqual(states(), ["off"])
})

test("who must sign in, or is shut out, is not tried again", async () => {
  welcome()
  sockets[0].lose(4401)
  mock.timers.tick(120_000)
  assert.equal(sockets.length, 1)
  assert.equal(states().at(-1), "signed-out")
})

test("a revoke that comes as a frame ends the line with its reason", () => {
  welcome()
  sockets[0].tell({ type: "error", code: "forbidden", room: "7", detail: "You are no longer in this room." })
  assert.equal(states().at(-1), "shut-out")
  assert.equal(line.isOpen, false)
})

test("what happens in other rooms is not told as this one's", () => {
  welcome()
  sockets[0].tell({ type: "events", room: "8", events: [{ seq: 3 }] })
  sockets[0].tell({ type: "events", room: "7", events: [{ seq: 13 }] })
  assert.deepEqual(page.slice(1).map(([name]) => name), ["elsewhere", "events"])
})
