// What was written and not yet acknowledged, kept in this browser: it outlives a reload, a lost line and a closed tab.
// Each message carries its client id from the first moment on, so sending it again never says it twice.
const KEPT_DAYS = 3

export class ChatOutbox {
  #key
  #here = []

  constructor(member, room) {
    this.#key = `chat-outbox:${member}:${room}`
  }

  // Oldest first. Another tab may have sent or added some meanwhile, so storage is read each time.
  list() {
    try {
      const kept = JSON.parse(localStorage.getItem(this.#key) ?? "[]")
      return kept.filter((message) => Date.now() - message.at < KEPT_DAYS * 86_400_000)
    } catch {
      return this.#here
    }
  }

  find(clientId) {
    return this.list().find((message) => message.client_id === clientId)
  }

  add(body, replyTo) {
    const message = { client_id: newId(), body, reply_to: replyTo || undefined, at: Date.now() }
    this.#write([...this.list(), message])
    return message
  }

  change(clientId, changes) {
    this.#write(this.list().map((message) => (message.client_id === clientId ? { ...message, ...changes } : message)))
  }

  remove(clientId) {
    const list = this.list()
    if (list.some((message) => message.client_id === clientId))
      this.#write(list.filter((message) => message.client_id !== clientId))
  }

  #write(messages) {
    this.#here = messages
    try {
      if (messages.length) localStorage.setItem(this.#key, JSON.stringify(messages))
      else localStorage.removeItem(this.#key)
    } catch {
      // No storage, or a full one: this page still remembers.
    }
  }
}

// randomUUID exists on https and localhost only.
function newId() {
  if (crypto.randomUUID) return crypto.randomUUID()
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  bytes[6] = (bytes[6] & 0x0f) | 0x40
  bytes[8] = (bytes[8] & 0x3f) | 0x80
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("")
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5")
}
