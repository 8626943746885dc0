// The line to a room: the live socket, resumed from the last seq after every cut; plain requests while no socket can be had.
// Events: state (on | off | polling | signed-out | shut-out), events, ack, refused, typing, presence, resync.
const FIRST_PAUSE = 500
const LONGEST_PAUSE = 30_000
const PING_EVERY = 25_000
const DEAD_AFTER = 45_000
const POLL_EVERY = 3_000
const BLOCKED_AFTER = 3

export class ChatLine extends EventTarget {
  #room
  #where
  #socket
  #failures = 0
  #everOpen = false
  #stopped = false
  #heardAt = 0
  #timers = {}
  #wake = () => this.#comeBack()

  // `where()` gives { seq, epoch }: up to which event the page has been told.
  constructor(room, where) {
    super()
    this.#room = room
    this.#where = where
  }

  open() {
    addEventListener("online", this.#wake)
    addEventListener("pageshow", this.#wake)
    document.addEventListener("visibilitychange", this.#wake)
    this.#timers.ping = setInterval(() => this.#ping(), PING_EVERY)
    this.#connect()
  }

  close() {
    this.#stopped = true
    removeEventListener("online", this.#wake)
    removeEventListener("pageshow", this.#wake)
    document.removeEventListener("visibilitychange", this.#wake)
    for (const timer of Object.values(this.#timers)) clearTimeout(timer)
    this.#socket?.close()
  }

  get isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN
  }

  get isPolling() {
    return Boolean(this.#timers.poll)
  }

  send(frame) {
    if (!this.isOpen) return false
    this.#socket.send(JSON.stringify({ room: this.#room, ...frame }))
    return true
  }

  // Ask again from where the page stands: after a gap, and after every cut.
  hello() {
    this.#socket.send(JSON.stringify({ type: "hello", rooms: { [this.#room]: this.#where() } }))
  }

  #connect() {
    if (this.#stopped || this.#socket?.readyState < WebSocket.CLOSING) return
    clearTimeout(this.#timers.again)
    const socket = (this.#socket = new WebSocket(location.origin.replace(/^http/, "ws") + "/live"))
    socket.onopen = () => {
      this.#everOpen = true
      this.#heardAt = Date.now()
      this.hello()
    }
    socket.onmessage = ({ data }) => this.#hear(JSON.parse(data))
    socket.onclose = ({ code }) => socket === this.#socket && this.#lost(code)
  }

  #hear(frame) {
    this.#heardAt = Date.now()
    if (frame.type === "welcome") {
      this.#failures = 0
      this.#stopPolling()
      this.#say("state", "on")
      this.#say("welcome", frame.rooms[this.#room])
    } else if (frame.type === "error" && !frame.client_id && ["not-found", "forbidden"].includes(frame.code)) {
      this.#end("shut-out")
    } else if (frame.type === "error" && frame.client_id) this.#say("refused", frame)
    else this.#say(frame.type, frame)
  }

  #lost(code) {
    if (code === 4401) return this.#end("signed-out")
    if (code === 4403) return this.#end("shut-out")
    this.#failures += 1
    if (!this.isPolling) this.#say("state", "off")
    if (!this.#everOpen && this.#failures >= BLOCKED_AFTER && navigator.onLine) this.#startPolling()
    const pause = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** this.#failures)
    clearTimeout(this.#timers.again)
    // Many pages lose a restarting server at once; they need not all come back at once.
    this.#timers.again = setTimeout(() => this.#connect(), pause * (0.5 + Math.random() / 2))
  }

  #end(state) {
    this.close()
    this.#stopPolling()
    this.#say("state", state)
  }

  #comeBack() {
    if (document.hidden || this.#stopped || this.#socket?.readyState === WebSocket.CONNECTING) return
    if (this.isOpen && Date.now() - this.#heardAt < DEAD_AFTER) this.#ping()
    else this.#connectAnew()
  }

  #ping() {
    if (!this.isOpen) return
    if (Date.now() - this.#heardAt > DEAD_AFTER) this.#connectAnew()
    else this.#socket.send('{"type":"ping"}')
  }

  // A line that went dead without a word (sleep, a changed network) closes too late to wait for.
  #connectAnew() {
    const old = this.#socket
    this.#socket = null
    if (old) old.onclose = old.onmessage = null
    old?.close()
    this.#connect()
  }

  #startPolling() {
    this.#timers.poll ??= setInterval(() => this.#poll(), POLL_EVERY)
    this.#say("state", "polling")
    this.#poll()
  }

  #stopPolling() {
    clearInterval(this.#timers.poll)
    this.#timers.poll = undefined
  }

  async #poll() {
    if (document.hidden) return
    try {
      const answer = await fetch(`/chat/${this.#room}/events?after=${this.#where().seq}`, {
        headers: { Accept: "application/json" },
      })
      if (answer.ok) this.#say("events", { events: await answer.json() })
      else if (answer.status === 404) this.#end("shut-out")
    } catch {
      // Offline: the next turn tries again.
    }
  }

  #say(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }))
  }
}
