// The line to a room: the live socket, resumed from the last seq after every cut; plain requests while no socket can be had.
// Events: state (on | off | polling | signed-out | shut-out), welcome, events, ack, refused, typing, presence, read,
// notify, resync, error; and "elsewhere" for what happens in the other rooms it listens to.
import { pauseBefore } from "./chat-rules.js"

const PING_EVERY = 25_000
const DEAD_AFTER = 45_000
const ANSWER_WITHIN = 5_000
const POLL_EVERY = 3_000
const POLLED_AT_ONCE = 200
const BLOCKED_AFTER = 3

export class ChatLine extends EventTarget {
  #room
  #where
  #socket
  #failures = 0
  #state = ""
  #isStopped = false
  #isPollAsked = false
  #heardAt = 0
  #timers = {}
  #wake = () => this.#comeBack()

  // `where()` gives { "7": { seq, epoch } }: up to which event the page has been told, of this room and of others.
  constructor(room, where) {
    super()
    this.#room = room
    this.#where = where
  }

  open() {
    for (const name of ["online", "offline", "pageshow"]) addEventListener(name, this.#wake)
    document.addEventListener("visibilitychange", this.#wake)
    this.#timers.ping = setInterval(() => this.#ping(), PING_EVERY)
    this.#connect()
  }

  close() {
    this.#isStopped = true
    for (const name of ["online", "offline", "pageshow"]) removeEventListener(name, this.#wake)
    document.removeEventListener("visibilitychange", this.#wake)
    for (const timer of Object.values(this.#timers)) clearTimeout(timer)
    this.#timers = {}
    this.#socket?.close()
  }

  get isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN
  }

  get isPolling() {
    return this.#state === "polling"
  }

  send(frame) {
    if (!this.isOpen) return false
    this.#socket.send(JSON.stringify({ room: this.#room, ...frame }))
    return true
  }

  // Ask again from where the page stands: after a gap, and after every cut.
  hello() {
    this.#socket.send(JSON.stringify({ type: "hello", rooms: this.#where() }))
  }

  // Look now, where nothing is told by itself.
  look() {
    if (this.isPolling) this.#poll()
  }

  #connect() {
    if (this.#isStopped || this.#socket?.readyState < WebSocket.CLOSING) return
    clearTimeout(this.#timers.again)
    const socket = (this.#socket = new WebSocket(location.origin.replace(/^http/, "ws") + "/live"))
    socket.onopen = () => {
      this.#heardAt = Date.now()
      this.hello()
    }
    socket.onmessage = ({ data }) => this.#hear(JSON.parse(data))
    socket.onclose = ({ code }) => socket === this.#socket && this.#lost(code)
  }

  #hear(frame) {
    this.#heardAt = Date.now()
    const isElsewhere = frame.room && frame.room !== this.#room
    if (frame.type === "welcome") {
      this.#failures = 0
      this.#stopPolling()
      this.#turn("on")
      this.#say("welcome", frame.rooms[this.#room])
    } else if (isElsewhere) this.#say("elsewhere", frame)
    else if (frame.type === "error" && !frame.client_id && ["not-found", "forbidden"].includes(frame.code))
      this.#end("shut-out", frame.detail)
    else if (frame.type === "error" && frame.client_id) this.#say("refused", frame)
    else if (frame.type !== "pong") this.#say(frame.type, frame)
  }

  #lost(code) {
    if (code === 4401) return this.#end("signed-out")
    if (code === 4403) return this.#end("shut-out")
    this.#failures += 1
    if (!this.isPolling) this.#turn("off")
    if (this.#failures >= BLOCKED_AFTER) this.#startPolling()
    clearTimeout(this.#timers.again)
    // Many pages lose a restarting server at once; they need not all come back at once.
    this.#timers.again = setTimeout(() => this.#connect(), pauseBefore(this.#failures))
  }

  #end(state, detail) {
    this.close()
    this.#turn(state, detail)
  }

  // Awake again, or on another network: is the line still there?
  #comeBack() {
    if (document.hidden || this.#isStopped || this.#socket?.readyState === WebSocket.CONNECTING) return
    if (this.isOpen && Date.now() - this.#heardAt < DEAD_AFTER) this.#ping()
    else this.#connectAnew()
    this.look()
  }

  // A line that went dead without a word (sleep, a changed network) closes too late to wait for.
  #ping() {
    if (!this.isOpen) return
    if (Date.now() - this.#heardAt > DEAD_AFTER) return this.#connectAnew()
    const askedAt = Date.now()
    this.#socket.send('{"type":"ping"}')
    clearTimeout(this.#timers.answer)
    this.#timers.answer = setTimeout(() => this.#heardAt < askedAt && this.#connectAnew(), ANSWER_WITHIN)
  }

  #connectAnew() {
    const old = this.#socket
    this.#socket = null
    if (old) old.onclose = old.onmessage = null
    old?.close()
    if (!this.isPolling) this.#turn("off")
    this.#connect()
  }

  #startPolling() {
    if (this.#timers.poll) return
    this.#timers.poll = setInterval(() => document.hidden || this.#poll(), POLL_EVERY)
    this.#poll()
  }

  #stopPolling() {
    clearInterval(this.#timers.poll)
    delete this.#timers.poll
  }

  // One at a time: two answers would tell the same events, and a slow network would only get slower.
  async #poll() {
    if (this.#isPollAsked || this.#isStopped) return
    this.#isPollAsked = true
    let events
    try {
      const answer = await fetch(`/chat/${this.#room}/events?after=${this.#where()[this.#room].seq}`, {
        headers: { Accept: "application/json" },
      })
      if (answer.status === 404) return this.#end("shut-out")
      if (answer.ok) events = await answer.json()
    } catch {
      // Offline: the next turn tries again.
    } finally {
      this.#isPollAsked = false
    }
    if (!events || this.isOpen || this.#isStopped) return
    this.#turn("polling")
    this.#say("events", { events })
    if (events.length >= POLLED_AT_ONCE) this.#poll()
  }

  #turn(state, detail = "") {
    if (state === this.#state) return
    this.#state = state
    this.#say("state", { state, detail })
  }

  #say(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }))
  }
}
