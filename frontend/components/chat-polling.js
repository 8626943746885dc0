// Asking instead of being told: where no socket passes, and for those who only look in. The longer nothing happens the
// more seldom it asks, never all pages at once, and not while nobody looks.
const SOONEST = 3_000
const ASKED_AT_MOST = 15_000
const POLLED_AT_ONCE = 200

export class ChatPolling {
  #room
  #where
  #take
  #longest
  #timer
  #isOn = false
  #isAsking = false
  #isAskedAgain = false
  #quiet = 0

  // `take` is given what was found, with the `after` that was asked for; { isClosed } of a room that is not for us; or
  // nothing, when nothing came back.
  constructor(room, where, take, longest) {
    this.#room = room
    this.#where = where
    this.#take = take
    this.#longest = longest
  }

  get isOn() {
    return this.#isOn
  }

  start() {
    if (this.#isOn) return
    this.#isOn = true
    this.look()
  }

  stop() {
    this.#isOn = false
    clearTimeout(this.#timer)
  }

  // Now: something was done here, or the page is looked at again.
  look() {
    if (!this.#isOn) return
    this.#quiet = 0
    // One at a time: a slow network would only get slower. But the one on its way may have been asked too early.
    if (this.#isAsking) this.#isAskedAgain = true
    else this.#ask()
  }

  async #ask() {
    clearTimeout(this.#timer)
    if (!document.hidden) {
      this.#isAsking = true
      this.#isAskedAgain = false
      const found = await this.#fetch()
      this.#isAsking = false
      if (!this.#isOn) return
      this.#take(found)
      if (this.#isAskedAgain || found?.events?.length >= POLLED_AT_ONCE) return this.#ask()
      this.#quiet = found?.events?.length ? 0 : this.#quiet + 1
    }
    if (this.#isOn) this.#timer = setTimeout(() => this.#ask(), this.#pause())
  }

  #pause() {
    return Math.min(this.#longest, SOONEST * 1.2 ** Math.max(0, this.#quiet - 3)) * (0.75 + Math.random() / 2)
  }

  async #fetch() {
    const { seq: after } = this.#where()[this.#room]
    try {
      const answer = await fetch(`/chat/${this.#room}/events?after=${after}`, {
        headers: { Accept: "application/json" },
        signal: AbortSignal.timeout(ASKED_AT_MOST),
      })
      if (answer.status === 404) return { isClosed: true }
      return answer.ok ? { after, ...(await answer.json()) } : undefined
    } catch {
      // Offline: the next turn tries again.
    }
  }
}
