// <chat-room> makes the page of a room live. The page works without it: history is HTML, writing is a form.
import { again } from "./again.js"
import { ChatComposer } from "./chat-composer.js"
import { ChatLine } from "./chat-line.js"
import { ChatLog } from "./chat-log.js"
import { ChatSending } from "./chat-sending.js"
import "./chat-order.js"
import { inOrder, toHear } from "./chat-rules.js"

const TYPING_SHOWN = 4_000
const REMEMBERED = 300

class ChatRoom extends HTMLElement {
  #seq
  #epoch
  #line
  #log
  #moves
  #sending
  #tabs
  #composer
  #reading
  #rooms
  #letGo = () => {}
  #writers = new Map()
  #people
  #present = new Map()
  #isPartnerHere = false
  // What was told lately: a page that was fetched meanwhile may not know it yet.
  #recent = []
  #isLoading = false

  connectedCallback() {
    const { room, member, past, thread } = this.dataset
    this.#seq = Number(this.dataset.seq)
    this.#epoch = this.dataset.epoch
    const list = this.querySelector(".log")
    const form = this.querySelector("form.say:not([data-plain])")
    this.#log = new ChatLog(list, { message: this.#part("message"), parts: this.#part("parts") }, this.dataset, member, room)
    this.#log.isThread = Boolean(thread)
    this.#log.isJoined = past === undefined || this.#log.isThread
    const where = () => ({ ...this.#rooms?.where(), [room]: { seq: this.#seq, epoch: this.#epoch } })
    // Who is not signed in reads along, and asks for it.
    this.#line = new ChatLine(room, where, { isLooking: !member, member })
    this.#sending = new ChatSending(this.dataset, this.#line, () => this.#token)
    if (form?.elements.body) this.#composer = new ChatComposer(form, this.dataset)
    this.#listen()
    for (const message of this.#sending.waiting) this.#show(message)
    if (!location.hash.startsWith("#message-")) this.#log.scrollToUnread()
    this.#line.open()
    this.#moves = this.#getMore(list)
  }

  // What is needed only once one has looked around: it does not keep the room from opening.
  async #getMore(list) {
    const [{ keepAboveKeyboard }, { ChatRooms }, { ChatReading }, { ChatHistory }, { ChatActs }, { ChatTabs }, { ChatMoves }] =
      await again(() => Promise.all([
        import("./chat-keyboard.js"),
        import("./chat-rooms.js"),
        import("./chat-reading.js"),
        import("./chat-history.js"),
        import("./chat-acts.js"),
        import("./chat-tabs.js"),
        import("./chat-moves.js"),
        import("./chat-pins.js"),
        // Where there is no line, nothing can be fetched either.
        import("./chat-post.js"),
      ]))
    if (!this.isConnected) return null
    this.#tabs = new ChatTabs(this.dataset.member, this.dataset.room)
    this.#listenToTabs()
    this.#letGo = keepAboveKeyboard(this.#log)
    this.#reading = new ChatReading(this, this.#log, this.#seq, (seq) => this.#read(seq))
    const acts = new ChatActs(this)
    acts.addEventListener("done", () => this.#line.look())
    acts.addEventListener("failed", ({ detail }) => this.#say(detail))
    const past = new ChatHistory(this.#log, list)
    past.addEventListener("arrived", ({ detail }) => this.#tellAgain(detail))
    const moves = new ChatMoves(this, { log: this.#log, composer: this.#composer, history: past, line: this.#line })
    for (const name of ["retry", "discard"]) moves.addEventListener(name, ({ detail }) => this.#sending[name](detail))
    moves.addEventListener("trouble", ({ detail }) => this.#say(detail))
    this.#rooms = new ChatRooms(this.parentElement.querySelector(".rooms"), this.dataset, () => this.#blocked)
    this.#line.addEventListener("elsewhere", async ({ detail }) => {
      if (detail.type !== "notify") this.#rooms.hear(detail)
      else if (detail.kind === "direct" && (await this.#rooms.beginWith(detail.room)))
        this.#line.hello(this.#rooms.where([detail.room]))
    })
    const others = this.#rooms.where()
    if (Object.keys(others).length) this.#line.hello(others)
    this.#line.addEventListener("polled", () => this.#rooms.askNow())
    await this.#composer?.getMore(this)
    return moves
  }

  disconnectedCallback() {
    this.#line?.close()
    this.#tabs?.close()
    this.#reading?.close()
    this.#rooms?.close()
    this.#letGo()
    this.#sending?.close()
  }

  #listen() {
    for (const name of ["state", "welcome", "events", "ack", "refused", "typing", "presence", "resync", "read", "seen", "notify", "stage"])
      this.#line.addEventListener(name, ({ detail }) => this[`_${name}`](detail))
    const shown = { show: (it) => this.#show(it), confirm: (it) => this.#log.confirm(it.client_id, it.id), forget: (it) => this.#log.forget(it.client_id), say: (it) => this.#say(it) }
    for (const [name, act] of Object.entries(shown)) this.#sending.addEventListener(name, ({ detail }) => act(detail))
    const composer = this.#composer
    composer?.addEventListener("say", ({ detail }) => this.#submit(detail))
    composer?.addEventListener("complain", ({ detail }) => this.#say(detail))
    composer?.addEventListener("waiting", () => this.#say(this.dataset.bringing))
    composer?.addEventListener("typing", () => this.#line.send({ type: "typing" }))
  }

  #listenToTabs() {
    this.#sending.share(this.#tabs)
    this.#tabs.addEventListener("read", ({ detail }) => this._read(detail))
  }

  // --- what the line tells ---

  _state({ state, detail }) {
    const live = this.#part("live")
    live.hidden = false
    this.#part("quiet").hidden = true
    live.className = `live ${["on", "looking"].includes(state) ? "on" : "off"}`
    if (state === "signed-out" || state === "shut-out") {
      live.hidden = true
      this.#composer?.shut()
      this.#say(detail || (state === "signed-out" ? this.dataset.signedOut : this.dataset.shutOut))
    } else live.textContent = this.dataset[state]
    if (state === "polling") this.#sending.bringOut()
    for (const message of this.#sending.waiting) this.#show(message)
  }

  _welcome(room) {
    if (!room) return
    this.#say("")
    this.#sending.bringOut()
  }

  _events({ events }) {
    if (this.#isLoading) return
    const wasAtEnd = this.#log.isAtEnd
    const { next, seq, hasGap } = inOrder(this.#seq, events, { mayJump: !this.#line.isOpen })
    const isUnseen = document.hidden || !wasAtEnd || !this.#log.isJoined
    let fresh = 0
    for (const event of next) {
      const isMine = event.author?.id === this.dataset.member
      if (event.client_id && isMine) this.#sending.said(event.client_id, event.id)
      if (event.author) this.#writers.delete(event.author.id)
      this.#rooms?.hearHere(event)
      const isNews = !isMine && !this.#blocked.includes(event.author?.id)
      if (event.kind === "message" && isNews && isUnseen && this.#log.isJoined) this.#log.drawUnreadLine()
      if (this.#log.tell(event) && isNews) fresh += 1
      // Two who talk alone were let in, shut out, or may write again: the page has the words for it, and keeps the draft.
      if (event.data?.is) location.reload()
      if (event.answered || ["pin", "edit", "delete"].includes(event.kind)) this.dispatchEvent(new CustomEvent("pin-event", { detail: event }))
      // What is said about the room itself is for those around: its order, what is shown beside it.
      if (event.data || event.kind === "delete") this.dispatchEvent(new CustomEvent("room-event", { detail: event, bubbles: true }))
    }
    this.#markSeen()
    this.#seq = seq
    this.#sayComplete()
    this.#recent = [...this.#recent, ...next].slice(-REMEMBERED)
    this.#showWriters()
    const heard = toHear(next, this.dataset.member, { many: this.dataset.heardMany }, this.#blocked)
    if (heard) this.#part("heard").textContent = heard
    if (wasAtEnd && this.#log.isJoined) this.#log.scrollToEnd()
    this.#reading?.note(seq, isUnseen ? fresh : 0)
    if (hasGap) this.#line.hello()
  }

  // Nothing is missing up to here, or it would be asked for: a line for whoever helps when somebody doubts it.
  #sayComplete() {
    const place = this.#part("complete")
    if (!place) return
    place.querySelector(".meta").textContent = place.dataset.words.replace("{n}", this.#seq)
    place.querySelector("input").value = `room ${this.dataset.room} epoch ${this.#epoch} #${this.#seq}`
  }

  _ack(acked) {
    this.#sending.acked(acked)
  }

  _refused(refusal) {
    this.#sending.refused(refusal)
  }

  _typing({ author }) {
    if (author.id === this.dataset.member) return
    this.#writers.set(author.id, author.name)
    this.#showWriters()
    setTimeout(() => {
      this.#writers.delete(author.id)
      this.#showWriters()
    }, TYPING_SHOWN)
  }

  async _presence(frame) {
    this.dataset.online = frame.online
    const isHere = this.dataset.partner ? this.#partnerIsHere(frame) : frame.online
    const here = isHere ? ` · ${this.dataset.here.replace("{n}", frame.online)}` : ""
    this.#part("live").textContent = this.dataset.on + here
    const list = this.#part("people")
    if (!list) return
    this.#people ??= again(() => import("./chat-people.js"))
    const { present, show } = await this.#people
    this.#present = present(this.#present, frame)
    show(list, this.#present)
  }

  // Where two talk alone, the other one counts, not oneself.
  #partnerIsHere({ members, came = [], went = [] }) {
    const { partner } = this.dataset
    const isIn = (people) => people.some(({ id }) => id === partner)
    this.#isPartnerHere = members ? isIn(members) : (this.#isPartnerHere && !went.includes(partner)) || isIn(came)
    return this.#isPartnerHere
  }

  // Read on another device, or in another tab of this one.
  _read({ seq }) {
    if (seq >= this.#seq && !document.hasFocus()) this.#log.eraseUnreadLine()
    this.#reading?.heard(seq)
  }

  // The other one of two has read.
  _seen({ seq }) {
    this.dataset.otherRead = Math.max(seq, Number(this.dataset.otherRead))
    this.#markSeen()
  }

  #markSeen() {
    const { seenMark, otherRead } = this.dataset
    if (seenMark) this.#log.markSeen(Number(otherRead), seenMark)
  }

  // Somebody was blocked, or is no more, on this page or another one.
  _notify({ kind, member, on }) {
    if (["mention", "reply"].includes(kind)) this.#rooms?.recount()
    if (kind !== "block") return
    const others = this.#blocked.filter((id) => id !== member)
    this.dataset.blocked = (on ? [...others, member] : others).join(" ")
  }

  // What is shown beside the talk, for whoever shows it.
  _stage(frame) {
    this.dispatchEvent(new CustomEvent("stage", { detail: frame, bubbles: true }))
  }

  // Too much was missed, or the history was restored: take the page's own answer.
  async _resync() {
    if (this.#log.isThread) return location.reload()
    if (this.#isLoading) return
    this.#isLoading = true
    this.#recent = []
    if (!(await (await this.#moves).jump(location.pathname))) return location.reload()
    this.#isLoading = false
    this.#log.scrollToEnd()
    if (this.#line.isOpen) this.#line.hello()
  }

  // A page that was just fetched may be older than what was told since, or newer than all we know.
  #tellAgain({ seq, epoch, ids, isWhole, reachesEnd }) {
    if (isWhole && this.#log.isJoined && (seq > this.#seq || this.#isLoading)) {
      this.#seq = seq
      this.#epoch = epoch
      this.#sayComplete()
    }
    this.#markSeen()
    for (const event of this.#recent) if (event.seq > seq && (isWhole || reachesEnd || ids.has(event.id))) this.#log.tell(event)
  }

  // --- what the member does ---

  async #submit({ body, ...more }) {
    const message = this.#sending.add(body, more)
    this.#say("")
    if (!this.#log.isJoined) await (await this.#moves).toLatest()
    this.#log.eraseUnreadLine()
    this.#show(message)
    this.#log.scrollToEnd()
    this.#sending.send(message)
  }

  // A message that is not acknowledged yet: on its way, waiting here, or refused.
  #show(message) {
    if (!this.#log.isJoined) return
    const { member, name, handle, sending, kept, failed, retry, discard, copy } = this.dataset
    const after = this.#log.showWaiting(message, { id: member, name, handle }).querySelector(".after")
    after.hidden = false
    if (!message.failed) return after.replaceChildren(this.#sending.isAble ? sending : kept)
    const copied = button("copy-words", copy)
    copied.addEventListener("click", () => navigator.clipboard?.writeText(message.body))
    after.replaceChildren(`${failed} ${message.failed} `, button("retry", retry), " ", copied, " ", button("discard", discard))
  }

  // --- reading ---

  async #read(seq) {
    if (!this.#line.send({ type: "read", seq }) && !(this.#line.isPolling && (await this.#readByForm(seq)))) return false
    this.#tabs?.tell("read", { seq })
    return true
  }

  async #readByForm(seq) {
    const fields = new FormData()
    fields.set("_csrf", this.#token)
    fields.set("seq", seq)
    const { knock } = await import("./chat-door.js")
    return (await knock(`/chat/${this.dataset.room}/read`, fields)).ok
  }

  #showWriters() {
    const names = [...this.#writers.values()]
    this.#part("writers").textContent =
      names.length === 1 ? this.dataset.writing.replace("{name}", names[0]) : names.length ? this.dataset.writingMany : ""
  }

  get #token() {
    return this.querySelector("[name=_csrf]")?.value ?? ""
  }

  get #blocked() {
    return this.dataset.blocked?.split(" ").filter(Boolean) ?? []
  }

  #say(text) {
    this.#part("status").textContent = text
  }

  #part(name) {
    return this.querySelector(`[data-part="${name}"]`)
  }
}

function button(kind, text) {
  return Object.assign(document.createElement("button"), { type: "button", className: `button link ${kind}`, textContent: text })
}

customElements.define("chat-room", ChatRoom)
