// The same room in several tabs of one browser: they tell each other what they wrote, sent and read, and only one of
// them at a time brings the outbox out. Where a browser lacks either, a client id said twice is still said once.
export class ChatTabs extends EventTarget {
  #name
  #channel

  constructor(member, room) {
    super()
    this.#name = `chat:${member}:${room}`
    if (!("BroadcastChannel" in globalThis)) return
    this.#channel = new BroadcastChannel(this.#name)
    this.#channel.onmessage = ({ data: { kind, ...facts } }) => this.dispatchEvent(new CustomEvent(kind, { detail: facts }))
  }

  tell(kind, facts) {
    this.#channel?.postMessage({ kind, ...facts })
  }

  // Does the work if no other tab is at it.
  async lead(work) {
    const locks = globalThis.navigator?.locks
    if (locks) await locks.request(this.#name, { ifAvailable: true }, async (lock) => lock && (await work()))
    else await work()
  }

  close() {
    this.#channel?.close()
  }
}
