// What was written and not yet acknowledged, kept in this browser: it outlives a reload, a lost line and a closed tab.
// Each message carries its client id from the first moment on, so sending it again never says it twice; and each lies
// under a key of its own, so that two tabs writing at once do not overwrite each other.
const PREFIX = "chat-outbox:"
// After so long it no longer goes out by itself: the talk has gone on. It is never thrown away without being asked.
const OLD_MS = 3 * 86_400_000

export class ChatOutbox {
  #prefix
  #storage
  #count = 0

  constructor(member, room, storage = browserStorage()) {
    this.#prefix = `${PREFIX}${member}:${room}:`
    this.#storage = storage
  }

  // Oldest first. Another tab may have sent or added some meanwhile, so storage is read each time.
  list() {
    const kept = []
    for (const key of keysOf(this.#storage)) {
      if (!key.startsWith(this.#prefix)) continue
      const message = this.#read(key)
      if (message?.client_id) kept.push({ ...message, isOld: Date.now() - message.at > OLD_MS })
      else this.#storage.removeItem(key)
    }
    return kept.sort((one, other) => one.at - other.at || one.n - other.n)
  }

  find(clientId) {
    return this.#read(this.#prefix + clientId)
  }

  add(body, more = {}) {
    const message = { client_id: newId(), body, ...more, at: Date.now(), n: this.#count++ }
    this.#write(message)
    return message
  }

  change(clientId, changes) {
    const message = this.find(clientId)
    if (message) this.#write({ ...message, ...changes })
  }

  remove(clientId) {
    this.#storage.removeItem(this.#prefix + clientId)
  }

  #read(key) {
    try {
      return JSON.parse(this.#storage.getItem(key))
    } catch {
      return null
    }
  }

  #write(message) {
    const [key, text] = [this.#prefix + message.client_id, JSON.stringify(message)]
    try {
      this.#storage.setItem(key, text)
    } catch {
      // A full storage: this page still remembers.
      this.#storage = inMemory(this.#storage)
      this.#storage.setItem(key, text)
    }
  }
}

// The rooms in which something of this member waits, or was refused.
export function roomsWaiting(member, storage = browserStorage()) {
  const mine = keysOf(storage).filter((key) => key.startsWith(`${PREFIX}${member}:`))
  return [...new Set(mine.map((key) => key.split(":")[2]))]
}

function keysOf(storage) {
  return Array.from({ length: storage.length }, (_nothing, n) => storage.key(n))
}

function browserStorage() {
  try {
    return localStorage
  } catch {
    return inMemory()
  }
}

// What localStorage can do, for this page alone, beginning with what another storage held.
export function inMemory(other) {
  const kept = new Map(other ? keysOf(other).map((key) => [key, other.getItem(key)]) : [])
  return {
    get length() {
      return kept.size
    },
    key: (n) => [...kept.keys()][n],
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, text) => kept.set(key, text),
    removeItem: (key) => kept.delete(key),
  }
}

// randomUUID needs a secure context; a community on a plain local address has none.
export function newId() {
  if (crypto.randomUUID) return crypto.randomUUID()
  const bytes = crypto.getRandomValues(new Uint8Array(16))
  bytes[6] = (bytes[6] & 0x0f) | 0x40
  bytes[8] = (bytes[8] & 0x3f) | 0x80
  return [...bytes].map((byte, i) => ([4, 6, 8, 10].includes(i) ? "-" : "") + byte.toString(16).padStart(2, "0")).join("")
}
