// What one writes on its way: it lies in the outbox first, goes out by the line or by the form's door, and stays until it
// was acknowledged or refused. Says "show" (a message), "confirm", "forget" and "say" to the page.
import { ChatOutbox } from "./chat-outbox.js"

// Refusals that another try cannot change.
const FINAL = new Set(["invalid", "conflict", "forbidden", "not-found"])
const ACK_PATIENCE = 10_000

export class ChatSending extends EventTarget {
  #room
  #words
  #token
  #line
  #outbox
  #tabs
  #timer
  #bringing = new Set()

  // `words` are the page's, with whose page and which room's it is; `token()` gives what a form needs.
  constructor(words, line, token) {
    super()
    this.#room = words.room
    this.#words = words
    this.#line = line
    this.#token = token
    this.#outbox = new ChatOutbox(words.member, words.room)
    this.#layAside()
    this.#timer = setInterval(() => this.bringOut({ olderThan: ACK_PATIENCE }), ACK_PATIENCE)
  }

  close() {
    clearInterval(this.#timer)
  }

  get waiting() {
    return this.#outbox.list()
  }

  get isAble() {
    return this.#line.isOpen || this.#line.isPolling
  }

  // The same room in other tabs of this browser: what one of them does, all show.
  share(tabs) {
    this.#tabs = tabs
    const hear = (kind, act) => tabs.addEventListener(kind, ({ detail }) => act(detail))
    // What was said meanwhile waits no more.
    hear("waiting", ({ message }) => this.#outbox.find(message.client_id) && this.#say("show", message))
    hear("acked", (acked) => this.#say("confirm", acked))
    hear("failed", ({ message }) => this.#say("show", message))
    hear("discarded", (gone) => this.#say("forget", gone))
  }

  // It stands in the outbox, and goes out with `send`.
  add(body, more) {
    return this.#outbox.add(body, more)
  }

  send(message) {
    this.#send(message)
    this.#tabs?.tell("waiting", { message })
  }

  // After a cut: one tab of this browser at a time, and never while an answer is still on its way.
  bringOut({ olderThan = 0 } = {}) {
    this.#layAside()
    const bringOut = async () => {
      for (const message of this.#outbox.list())
        // What was written after it does not overtake one whose files are still on their way.
        if (!message.failed && Date.now() - message.at >= olderThan && !(await this.#send(message))) break
      for (let turn = 0; turn < 20 && this.isAble && this.#outbox.list().some((message) => !message.failed); turn += 1)
        await new Promise((done) => setTimeout(done, 100))
    }
    // A client id said twice is said once: who does not know of other tabs yet need not wait to hear of them.
    if (this.#tabs) this.#tabs.lead(bringOut)
    else bringOut()
  }

  // Nobody is surprised by words of last week, nor robbed of them.
  #layAside() {
    for (const { client_id } of this.#outbox.list().filter((one) => one.isOld && !one.failed)) {
      this.#outbox.change(client_id, { failed: this.#words.tooOld })
      this.#say("show", this.#outbox.find(client_id))
    }
  }

  acked({ client_id, id }) {
    this.said(client_id, id)
    this.#say("confirm", { client_id, id })
  }

  // It is said, by whatever way one heard of it.
  said(clientId, id) {
    this.#outbox.remove(clientId)
    this.#tabs?.tell("acked", { client_id: clientId, id })
  }

  refused({ client_id, code, detail }) {
    // Too fast, or the house is busy: it is tried again by itself, and meanwhile one reads why.
    if (!FINAL.has(code)) return this.#say("say", detail)
    this.#outbox.change(client_id, { failed: detail || this.#words.noLine })
    const message = this.#outbox.find(client_id)
    if (!message) return
    this.#say("show", message)
    this.#tabs?.tell("failed", { message })
  }

  retry(clientId) {
    this.#outbox.change(clientId, { failed: undefined, at: Date.now() })
    const message = this.#outbox.find(clientId)
    if (!message) return
    this.#say("show", message)
    this.send(message)
  }

  async discard(clientId) {
    const keys = this.#outbox.find(clientId)?.files?.flatMap(({ key }) => key ?? []) ?? []
    this.#outbox.remove(clientId)
    this.#say("forget", { client_id: clientId })
    this.#tabs?.tell("discarded", { client_id: clientId })
    if (!keys.length) return
    const { letGo } = await import("./chat-kept.js")
    for (const key of keys) letGo(key).catch(() => {})
  }

  // Whether the next one may follow.
  async #send(message) {
    const { client_id, body, reply_to } = message
    if (message.files?.some(({ key }) => key)) message = await this.#withFiles(message)
    if (!message) return this.#outbox.find(client_id)?.failed !== undefined
    const files = message.files?.map(({ id }) => id)
    if (!this.#line.send({ type: "send", client_id, body, reply_to, files }) && this.#line.isPolling) await this.#post(message)
    return true
  }

  async #post(message) {
    const { post } = await import("./chat-post.js")
    const { ok, isFinal, detail, said } = await post(this.#room, this.#token(), message)
    if (ok) this.acked({ client_id: message.client_id, id: said?.id })
    else if (isFinal) this.refused({ client_id: message.client_id, code: "invalid", detail })
  }

  // Files that were kept here go first; nothing while they cannot.
  async #withFiles(message) {
    const { client_id } = message
    if (!this.isAble || this.#bringing.has(client_id)) return
    this.#bringing.add(client_id)
    try {
      const { bringFiles } = await import("./chat-post.js")
      const { ok, isFinal, detail, lost } = await bringFiles(this.#room, this.#token(), this.#outbox, message)
      const why = lost ? this.#words.lostFile.replace("{name}", () => lost) : detail
      if (isFinal) this.refused({ client_id, code: "invalid", detail: why })
      return ok ? this.#outbox.find(client_id) : undefined
    } finally {
      this.#bringing.delete(client_id)
    }
  }

  #say(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }))
  }
}
