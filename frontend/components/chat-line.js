// The line to a room: the live socket, resumed from the last seq after every cut; plain requests while no socket can be
// had, and for those who only look in.
// Events: state (on | off | polling | looking | signed-out | shut-out), welcome, events, ack, refused, typing, presence,
// read, notify, resync, error, polled; and "elsewhere" for what happens in the other rooms it listens to.
import { ChatPolling } from "./chat-polling.js"
import { missing, pauseBefore } from "./chat-rules.js"

const PING_EVERY = 25_000
const DEAD_AFTER = 45_000
const ANSWER_WITHIN = 5_000
// A wall may refuse a socket, swallow its handshake, or let it through and then nothing else: for who waits, all the same.
const WELCOME_WITHIN = 8_000
const BLOCKED_AFTER = 3
const JUST_TRIED = 2_000
const SELDOM_POLLED = 6_000
const SELDOM_LOOKED = 20_000
// Who missed more has to load the page anew: as the socket would say.
const MOST_MISSED = 1_000
const UNANSWERED_IS_OFF = 2

export class ChatLine extends EventTarget {
  #room
  #member
  #where
  #socket
  #polling
  #isLooking
  #isWelcome = false
  #failures = 0
  #unanswered = 0
  #state = ""
  #isStopped = false
  #triedAt = 0
  #heardAt = 0
  #heard = 0
  #timers = {}
  // The rooms of the last ping, and how far we had been told of them.
  #asked = {}
  // Other rooms that turned out not to be for us: nobody asks for them again and again.
  #closed = new Set()
  #wake = () => this.#comeBack()

  // `member`: whose page it is; whoever signed in to this browser since gets no line by it.
  // `where()` gives { "7": { seq, epoch } }: up to which event the page has been told, of this room and of others.
  constructor(room, where, { isLooking = false, member = "" } = {}) {
    super()
    this.#room = room
    this.#member = member
    this.#where = where
    this.#isLooking = isLooking
    this.#polling = new ChatPolling(room, where, (found) => this.#polled(found), isLooking ? SELDOM_LOOKED : SELDOM_POLLED)
  }

  open() {
    for (const name of ["online", "offline", "pageshow"]) addEventListener(name, this.#wake)
    document.addEventListener("visibilitychange", this.#wake)
    if (this.#isLooking) return this.#polling.start()
    this.#timers.ping = setInterval(() => this.#ping(), PING_EVERY)
    this.#connect()
  }

  close() {
    this.#isStopped = true
    for (const name of ["online", "offline", "pageshow"]) removeEventListener(name, this.#wake)
    document.removeEventListener("visibilitychange", this.#wake)
    for (const timer of Object.values(this.#timers)) clearTimeout(timer)
    this.#timers = {}
    this.#polling.stop()
    this.#leave()
  }

  // A socket that was answered: one that is merely open may lead nowhere.
  get isOpen() {
    return this.#isWelcome && this.#socket?.readyState === WebSocket.OPEN
  }

  get isPolling() {
    return this.#state === "polling"
  }

  send(frame) {
    if (!this.isOpen) return false
    this.#socket.send(JSON.stringify({ room: this.#room, ...frame }))
    if (frame.type === "send") this.#expectAnswer()
    return true
  }

  // Ask again from where the page stands: after a gap, after every cut, and when it wants to hear of further rooms.
  hello(rooms = this.#where()) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify({ type: "hello", rooms }))
  }

  // Look now, where nothing is told by itself.
  look() {
    this.#polling.look()
  }

  #connect() {
    if (this.#isStopped || this.#isLooking || this.#socket?.readyState < WebSocket.CLOSING) return
    clearTimeout(this.#timers.again)
    this.#triedAt = Date.now()
    const socket = (this.#socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}/live?member=${this.#member}`))
    socket.onopen = () => {
      this.#heardAt = Date.now()
      this.hello()
    }
    socket.onmessage = ({ data }) => this.#hear(JSON.parse(data))
    socket.onclose = ({ code }) => this.#lost(code)
    // Longer each time: on a very slow network a socket still comes about in the end, and meanwhile it polls.
    clearTimeout(this.#timers.welcome)
    this.#timers.welcome = setTimeout(() => this.#lost(), ANSWER_WITHIN * Math.min(4, this.#failures + 1))
    this.#timers.patience ??= setTimeout(() => this.#polling.start(), WELCOME_WITHIN)
  }

  #hear(frame) {
    this.#heardAt = Date.now()
    this.#heard += 1
    const isElsewhere = frame.room && frame.room !== this.#room
    const isShut = frame.type === "error" && !frame.client_id && ["not-found", "forbidden"].includes(frame.code)
    if (frame.type === "welcome") this.#welcomed(frame)
    else if (frame.type === "pong") this.#compare(frame.rooms)
    else if (frame.type === "error" && frame.client_id) this.#say("refused", frame)
    else if (isElsewhere) {
      if (isShut) this.#closed.add(frame.room)
      this.#say("elsewhere", frame)
    } else if (isShut) this.#end("shut-out", frame.detail)
    else this.#say(frame.type, frame)
  }

  #welcomed({ rooms }) {
    this.#isWelcome = true
    this.#failures = 0
    clearTimeout(this.#timers.welcome)
    clearTimeout(this.#timers.patience)
    delete this.#timers.patience
    this.#polling.stop()
    this.#turn("on")
    this.#say("welcome", rooms[this.#room])
  }

  // What the server said it had told us, it told us before: rooms of which we know less, or which it tells us no more,
  // are asked for again.
  #compare(told) {
    const where = Object.entries(this.#where()).filter(([room]) => room in this.#asked)
    const lost = told ? missing(Object.fromEntries(where), told, this.#closed) : {}
    if (Object.keys(lost).length) this.hello(lost)
  }

  #lost(code) {
    this.#leave()
    if (code === 4401) return this.#end("signed-out")
    if (code === 4403) return this.#end("shut-out")
    this.#failures += 1
    if (!this.isPolling) this.#turn("off")
    if (this.#failures >= BLOCKED_AFTER) this.#polling.start()
    clearTimeout(this.#timers.again)
    // Many pages lose a restarting server at once; they need not all come back at once.
    this.#timers.again = setTimeout(() => this.#connect(), pauseBefore(this.#failures))
  }

  #leave() {
    const old = this.#socket
    this.#socket = null
    this.#isWelcome = false
    clearTimeout(this.#timers.welcome)
    clearTimeout(this.#timers.answer)
    if (!old) return
    old.onopen = old.onmessage = old.onclose = null
    old.close()
  }

  #end(state, detail) {
    this.close()
    this.#turn(state, detail)
  }

  // Awake again, or on another network: is the line still there?
  #comeBack() {
    if (document.hidden || this.#isStopped) return
    this.look()
    const isTrying = this.#socket && !this.#isWelcome && Date.now() - this.#triedAt < JUST_TRIED
    if (this.#isLooking || isTrying) return
    if (this.isOpen && Date.now() - this.#heardAt < DEAD_AFTER) this.#ping()
    else this.#connectAnew()
  }

  // A line that went dead without a word (sleep, a changed network) closes too late to wait for.
  #ping() {
    if (!this.isOpen) return
    if (Date.now() - this.#heardAt > DEAD_AFTER) return this.#connectAnew()
    const rooms = (this.#asked = Object.fromEntries(Object.entries(this.#where()).map(([room, { seq }]) => [room, seq])))
    this.#socket.send(JSON.stringify({ type: "ping", rooms }))
    this.#expectAnswer()
  }

  #expectAnswer() {
    const heard = this.#heard
    clearTimeout(this.#timers.answer)
    this.#timers.answer = setTimeout(() => this.#heard === heard && this.#connectAnew(), ANSWER_WITHIN)
  }

  #connectAnew() {
    this.#leave()
    if (!this.isPolling) this.#turn("off")
    this.#connect()
  }

  #polled(found) {
    this.#unanswered = found ? 0 : this.#unanswered + 1
    if (!found && this.#unanswered >= UNANSWERED_IS_OFF && this.#state) this.#turn("off")
    if (!found || this.isOpen || this.#isStopped) return
    if (found.isClosed) return this.#end("shut-out")
    this.#turn(this.#isLooking ? "looking" : "polling")
    const { after, seq, epoch, events, read, seen } = found
    const isAnotherPast = epoch !== this.#where()[this.#room].epoch || seq < after
    if (isAnotherPast || seq - after > MOST_MISSED) return this.#say("resync", {})
    if (read) this.#say("read", { seq: read })
    this.#say("events", { events })
    if (seen) this.#say("seen", { seq: seen })
    this.#say("polled", {})
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
