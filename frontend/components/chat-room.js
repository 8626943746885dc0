// <chat-room> makes the page of a room live. The page works without it: history is HTML, writing is a form.
import { ChatLine } from "./chat-line.js"
import { ChatLog } from "./chat-log.js"
import { ChatOutbox } from "./chat-outbox.js"

const ACK_PATIENCE = 10_000
const TYPING_EVERY = 2_000
const TYPING_SHOWN = 4_000
const READ_EVERY = 1_000
// Refusals that another try cannot change.
const FINAL = new Set(["invalid", "conflict", "forbidden", "not-found"])

class ChatRoom extends HTMLElement {
  #seq
  #epoch
  #line
  #log
  #outbox
  #form
  #writers = new Map()
  #typedAt = 0
  #readAt = 0
  #readTimer
  #resendTimer

  connectedCallback() {
    const { room, member, past } = this.dataset
    if (!member || past !== undefined) return
    this.#seq = Number(this.dataset.seq)
    this.#epoch = this.dataset.epoch
    this.#form = this.querySelector("form.say:not([data-plain])")
    if (!this.#form?.elements.body) this.#form = null
    this.#outbox = new ChatOutbox(member, room)
    this.#log = new ChatLog(this.querySelector(".log"), this.#part("message"), this.dataset, member, room)
    this.#line = new ChatLine(room, () => ({ seq: this.#seq, epoch: this.#epoch }))
    for (const name of ["state", "welcome", "events", "ack", "refused", "typing", "presence", "resync"])
      this.#line.addEventListener(name, ({ detail }) => this[`_${name}`](detail))
    this.#listen()
    this.#outbox.list().forEach((message) => this.#show(message))
    if (!location.hash.startsWith("#message-")) this.#log.scrollToEnd()
    this.#line.open()
  }

  disconnectedCallback() {
    this.#line?.close()
    clearInterval(this.#resendTimer)
    clearTimeout(this.#readTimer)
  }

  // --- what the line tells ---

  _state(state) {
    const live = this.#part("live")
    live.hidden = false
    this.#part("quiet").hidden = true
    live.className = `live ${state === "on" ? "on" : "off"}`
    if (state === "signed-out" || state === "shut-out") {
      live.hidden = true
      this.#say(state === "signed-out" ? this.dataset.signedOut : this.dataset.shutOut)
    } else live.textContent = this.dataset[state]
    if (state === "polling") this.#sendAll()
    for (const message of this.#outbox.list()) this.#show(message)
  }

  _welcome(room) {
    if (!room) return
    this.#say("")
    this.#sendAll()
  }

  _events({ events }) {
    const wasAtEnd = this.#log.isAtEnd
    for (const event of events) {
      if (event.seq <= this.#seq) continue
      if (event.seq > this.#seq + 1 && this.#line.isOpen) return this.#line.hello()
      this.#seq = event.seq
      const isMine = event.author?.id === this.dataset.member
      if (event.client_id && isMine) this.#outbox.remove(event.client_id)
      if (event.author) this.#writers.delete(event.author.id)
      if (event.kind === "message" && !isMine && (document.hidden || !wasAtEnd)) this.#log.drawUnreadLine()
      this.#log.tell(event)
    }
    this.#showWriters()
    if (wasAtEnd) this.#log.scrollToEnd()
    else if (events.some((event) => event.kind === "message")) this.#sayNewBelow()
    this.#markReadSoon()
  }

  _ack({ client_id, id }) {
    this.#outbox.remove(client_id)
    this.#log.confirm(client_id, id)
  }

  _refused({ client_id, code, detail }) {
    if (!FINAL.has(code)) return
    this.#outbox.change(client_id, { failed: detail })
    const message = this.#outbox.find(client_id)
    if (message) this.#show(message)
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

  _presence({ online }) {
    this.#part("live").textContent = `${this.dataset.on} · ${this.dataset.here.replace("{n}", online)}`
  }

  // Too much was missed, or the history was restored: take the page's own answer.
  async _resync() {
    const answer = await fetch(location.pathname)
    const page = new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("chat-room")
    if (!page) return location.reload()
    this.#seq = Number(page.dataset.seq)
    this.#epoch = page.dataset.epoch
    this.#log.replaceWith(page.querySelector(".log"))
    this.#log.scrollToEnd()
    if (this.#line.isOpen) this.#line.hello()
  }

  // --- what the member does ---

  #listen() {
    document.addEventListener("visibilitychange", () => document.hidden || this.#markReadSoon())
    this.querySelector(".log").addEventListener("scroll", () => this.#log.isAtEnd && this.#markReadSoon(), { passive: true })
    this.addEventListener("click", (event) => this.#clicked(event))
    this.querySelector(".log").addEventListener("submit", (event) => this.#takeBack(event))
    this.#resendTimer = setInterval(() => this.#sendAll({ olderThan: ACK_PATIENCE }), ACK_PATIENCE)
    if (!this.#form) return
    const field = this.#form.elements.body
    this.#form.addEventListener("submit", (event) => this.#submit(event))
    field.addEventListener("input", () => this.#typing())
    field.addEventListener("keydown", (event) => {
      // While an input method composes, Enter chooses a word; 229 is how some browsers say so.
      const composes = event.isComposing || event.keyCode === 229
      if (event.key !== "Enter" || event.shiftKey || composes || !matchMedia("(pointer: fine)").matches) return
      event.preventDefault()
      this.#form.requestSubmit()
    })
  }

  #submit(event) {
    event.preventDefault()
    const { body, reply_to } = this.#form.elements
    const text = body.value.trim()
    if (!text) return
    const message = this.#outbox.add(text, reply_to.value)
    body.value = ""
    this.#form.querySelector("draft-keeper")?.forget()
    this.#answer(null)
    this.#log.eraseUnreadLine()
    this.#show(message)
    this.#log.scrollToEnd()
    this.#send(message)
    body.focus()
  }

  #clicked(event) {
    const item = event.target.closest(".message")
    const chosen = event.target.closest(".reply, .retry, .discard, .new-below, .quoting a")
    if (!chosen) return
    event.preventDefault()
    if (chosen.matches(".reply")) this.#answer(item)
    else if (chosen.matches(".retry")) this.#retry(item.dataset.clientId)
    else if (chosen.matches(".discard")) this.#discard(item.dataset.clientId)
    else if (chosen.matches(".new-below")) this.#log.scrollToEnd()
    else this.#answer(null)
    chosen.closest("details")?.removeAttribute("open")
  }

  // Its deletion comes back as an event; a page without us would load anew.
  #takeBack(event) {
    event.preventDefault()
    const form = event.target
    fetch(form.action, { method: "POST", body: new FormData(form) }).catch(() => form.submit())
  }

  #answer(item) {
    if (!this.#form) return
    const quoting = this.#form.querySelector(".quoting")
    this.#form.elements.reply_to.value = item?.dataset.id ?? ""
    quoting.hidden = !item
    if (!item) return
    quoting.querySelector("b").textContent = item.querySelector(".by a").textContent
    quoting.querySelector("b + span").textContent = item.querySelector(".bubble").textContent.trim().slice(0, 80)
    this.#form.elements.body.focus()
  }

  #typing() {
    if (Date.now() - this.#typedAt < TYPING_EVERY || !this.#form.elements.body.value.trim()) return
    this.#typedAt = Date.now()
    this.#line.send({ type: "typing" })
  }

  // --- sending ---

  #sendAll({ olderThan = 0 } = {}) {
    for (const message of this.#outbox.list())
      if (!message.failed && Date.now() - message.at >= olderThan) this.#send(message)
  }

  #send(message) {
    const { client_id, body, reply_to } = message
    if (!this.#line.send({ type: "send", client_id, body, reply_to }) && this.#line.isPolling && this.#form) this.#post(message)
  }

  async #post(message) {
    const form = new FormData(this.#form)
    form.set("client_id", message.client_id)
    form.set("body", message.body)
    form.set("reply_to", message.reply_to ?? "")
    try {
      const answer = await fetch(this.#form.action, { method: "POST", body: form, headers: { Accept: "application/json" } })
      const said = await answer.json()
      if (answer.ok) this._ack({ client_id: message.client_id, id: said.id })
      else if (answer.status < 500 && answer.status !== 429)
        this._refused({ client_id: message.client_id, code: "invalid", detail: said.detail })
    } catch {
      // Offline: the message stays in the outbox.
    }
  }

  #retry(clientId) {
    this.#outbox.change(clientId, { failed: undefined })
    const message = this.#outbox.find(clientId)
    this.#show(message)
    this.#send(message)
  }

  #discard(clientId) {
    this.#outbox.remove(clientId)
    this.#log.forget(clientId)
  }

  #show(message) {
    const { member, name, handle, sending, kept, failed, retry, discard } = this.dataset
    const after = this.#log.showWaiting(message, { id: member, name, handle }).querySelector(".after")
    after.hidden = false
    if (message.failed) after.replaceChildren(`${failed} ${message.failed} `, button("retry", retry), " ", button("discard", discard))
    else after.replaceChildren(this.#line.isOpen || this.#line.isPolling ? sending : kept)
  }

  // --- reading ---

  #markReadSoon() {
    clearTimeout(this.#readTimer)
    this.#readTimer = setTimeout(() => {
      if (document.hidden || !this.#log.isAtEnd || this.#readAt === this.#seq) return
      if (this.#line.send({ type: "read", seq: this.#seq })) this.#readAt = this.#seq
    }, READ_EVERY)
  }

  #showWriters() {
    const names = [...this.#writers.values()]
    if (names.length === 1) this.#say(this.dataset.writing.replace("{name}", names[0]))
    else this.#say(names.length ? this.dataset.writingMany : "")
  }

  #sayNewBelow() {
    this.#part("status").replaceChildren(button("new-below", this.dataset.newBelow))
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
