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
  constructor(address) {
    this.address = address
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
  answerPoll = () => nothing()
  line = new ChatLine("7", () => ({ 7: { seq, epoch: "e" } }), { member: "3" })
  for (const name of ["state", "events", "read", "refused", "resync", "elsewhere"])
    line.addEventListener(name, ({ detail }) => page.push([name, detail?.state ?? detail]))
  document.hidden = false
  line.open()
})
afterEach(() => {
  line.close()
  mock.timers.reset()
})

const states = () => page.filter(([name]) => name === "state").map(([, state]) => state)
const settled = async () => {
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve()
}
// What a poll is answered while nothing happens, or with this.
function nothing(more = {}) {
  return { ok: true, status: 200, json: async () => ({ seq: 12, epoch: "e", events: [], ...more }) }
}
// As long as this, in small steps: what waits for an answer goes on in between.
async function pass(ms) {
  for (let passed = 0; passed < ms; passed += 250) {
    mock.timers.tick(250)
    await settled()
  }
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

test("it says whose page it is, and brings nothing out for whoever signed in since", () => {
  welcome()
  assert.equal(sockets[0].address, "ws://grapevine.example/live?member=3")
  sockets[0].lose()
  mock.timers.tick(2_000)
  sockets[1].open()
  sockets[1].lose(4401)
  mock.timers.tick(60_000)
  assert.deepEqual([sockets.length, line.isOpen, line.isPolling], [2, false, false])
  assert.deepEqual(states(), ["on", "off", "signed-out"])
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
    mock.timers.tick(4_500)
  }
  await settled()
  assert.deepEqual(states(), ["off", "polling"])
  assert.deepEqual([...new Set(polls)], ["/chat/7/events?after=12"])
  assert.equal(line.isPolling, true)
  const before = polls.length
  await pass(4_000)
  assert.ok(polls.length > before)
  while (sockets.at(-1).readyState !== 0) await pass(1_000)
  welcome()
  assert.deepEqual(states(), ["off", "polling", "on"])
  const asked = polls.length
  await pass(20_000)
  assert.equal(polls.length, asked, "nobody polls beside a socket")
})

test("where a handshake is swallowed it polls within ten seconds, and takes the socket that comes about later", async () => {
  await pass(10_000)
  assert.equal(sockets[0].readyState, 2, "the first attempt was given up")
  assert.equal(states().at(-1), "polling")
  assert.equal(line.isOpen, false)
  while (sockets.at(-1).readyState !== 0) await pass(1_000)
  welcome()
  assert.equal(states().at(-1), "on")
  assert.equal(line.isOpen, true)
})

test("where a socket opens and nothing comes through it polls, and nothing is said into the void", async () => {
  const open = setInterval(() => sockets.at(-1).readyState === 0 && sockets.at(-1).open(), 100)
  await pass(1_000)
  assert.equal(sockets[0].readyState, 1)
  assert.equal(line.send({ type: "send", body: "Hello?" }), false, "an open socket that was not answered is none")
  answerPoll = () => nothing({ seq: 13, events: [{ seq: 13 }] })
  await pass(10_000)
  assert.equal(states().at(-1), "polling")
  assert.ok(page.some(([name]) => name === "events"), "what came by asking is told, whatever the socket pretends")
  clearInterval(open)
})

test("a line that is up and lets nothing through any more is polled within fifteen seconds of a word", async () => {
  welcome()
  const open = setInterval(() => sockets.at(-1).readyState === 0 && sockets.at(-1).open(), 100)
  assert.equal(line.send({ type: "send", body: "Hello?" }), true)
  await pass(15_000)
  assert.equal(states().at(-1), "polling")
  clearInterval(open)
})

test("a line that once worked and is then blocked is polled, too", async () => {
  welcome()
  for (let n = 0; n < 3; n += 1) {
    sockets.at(-1).lose()
    mock.timers.tick(4_500)
  }
  await settled()
  assert.equal(states().at(-1), "polling")
})

test("offline is not the same as blocked: where polls fail too, it says so", async () => {
  let isOffline = true
  answerPoll = () => {
    if (isOffline) throw new TypeError("offline")
    return nothing()
  }
  await pass(40_000)
  assert.deepEqual(states(), ["off"])
  isOffline = false
  await pass(10_000)
  assert.deepEqual(states(), ["off", "polling"])
  isOffline = true
  await pass(20_000)
  assert.deepEqual(states(), ["off", "polling", "off"])
})

test("while polling, another past, a step back and too long a way are told to load anew; a pointer of another device is told", async () => {
  await pass(10_000)
  page.length = 0
  answerPoll = () => nothing({ read: 11 })
  await pass(10_000)
  assert.deepEqual(page.find(([name]) => name === "read"), ["read", { seq: 11 }])
  for (const told of [{ epoch: "restored" }, { seq: 11 }, { seq: 1013 }]) {
    page.length = 0
    answerPoll = () => nothing(told)
    await pass(10_000)
    const names = new Set(page.map(([name]) => name))
    assert.ok(names.has("resync") && !names.has("events"), JSON.stringify(told))
  }
})

test("what one did oneself is looked for at once, after the question that may have been asked too early", async () => {
  await pass(10_000)
  let answer
  answerPoll = () => new Promise((done) => (answer = () => done(nothing())))
  line.look()
  await settled()
  const before = polls.length
  line.look()
  await settled()
  assert.equal(polls.length, before, "one at a time")
  answer()
  await settled()
  assert.equal(polls.length, before + 1)
  answer()
})

test("a hidden page asks nothing, and asks at once when it is looked at again", async () => {
  await pass(10_000)
  document.hidden = true
  await pass(8_000)
  const before = polls.length
  await pass(60_000)
  assert.equal(polls.length, before)
  document.hidden = false
  document.dispatchEvent(new Event("visibilitychange"))
  await settled()
  assert.equal(polls.length, before + 1)
})

test("a room that the server tells no more, or tells us less of than it thinks, is asked for again with the next ping", async () => {
  welcome()
  await pass(25_000)
  assert.deepEqual(sockets[0].sent.at(-1), { type: "ping", rooms: { 7: 12 } })
  sockets[0].tell({ type: "pong", rooms: { 7: 12 } })
  assert.equal(sockets[0].sent.at(-1).type, "ping", "all is told")
  sockets[0].tell({ type: "pong" })
  assert.equal(sockets[0].sent.at(-1).type, "ping", "an older server says nothing about it")
  sockets[0].tell({ type: "pong", rooms: { 7: 14 } })
  assert.deepEqual(sockets[0].sent.at(-1), { type: "hello", rooms: { 7: { seq: 12, epoch: "e" } } })
  sockets[0].sent.length = 0
  sockets[0].tell({ type: "pong", rooms: {} })
  assert.equal(sockets[0].sent.at(-1).type, "hello")
})

test("a room that was joined after a ping is not missed in its answer", async () => {
  line.close()
  let where = { 7: { seq, epoch: "e" } }
  line = new ChatLine("7", () => where)
  line.open()
  welcome()
  await pass(25_000)
  where = { ...where, 8: { seq: 3 } }
  sockets.at(-1).tell({ type: "pong", rooms: { 7: 12 } })
  assert.equal(sockets.at(-1).sent.at(-1).type, "ping")
})

test("who only looks in never opens a socket and asks more and more seldom", async () => {
  line.close()
  const [opened, asked] = [sockets.length, polls.length]
  const looking = new ChatLine("7", () => ({ 7: { seq, epoch: "e" } }), { isLooking: true })
  const told = []
  for (const name of ["state", "events"]) looking.addEventListener(name, ({ detail }) => told.push(detail.state ?? name))
  looking.open()
  await settled()
  assert.deepEqual(told, ["looking", "events"])
  await pass(300_000)
  const inFiveMinutes = polls.length - asked
  assert.ok(inFiveMinutes > 10 && inFiveMinutes < 40, String(inFiveMinutes))
  answerPoll = () => ({ ok: false, status: 404 })
  await pass(30_000)
  assert.equal(told.at(-1), "shut-out")
  const last = polls.length
  await pass(60_000)
  assert.equal(polls.length, last)
  assert.equal(sockets.length, opened)
  looking.close()
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
