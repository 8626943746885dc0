// How far one has read, and the way to the latest message when one is not there.
const READ_EVERY = 1_000

export class ChatReading {
  #room
  #log
  #tell
  #seq
  #readAt = 0
  #fresh = 0
  #timer
  #wasNew
  #seen = () => this.#look()

  // `tell(seq)` says how far one has read, and whether it could be said.
  constructor(room, log, seq, tell) {
    this.#room = room
    this.#log = log
    this.#tell = tell
    this.#seq = seq
    this.#wasNew = room.querySelectorAll(Number(room.dataset.seen) ? ".unread ~ .message:not(.me)" : ".log .message:not(.me)").length
    room.querySelector(".log").addEventListener("scroll", this.#seen, { passive: true })
    document.addEventListener("visibilitychange", this.#seen)
    addEventListener("focus", this.#seen)
    this.#look()
  }

  close() {
    clearTimeout(this.#timer)
    document.removeEventListener("visibilitychange", this.#seen)
    removeEventListener("focus", this.#seen)
  }

  // The room moved; so many new messages are out of sight.
  note(seq, unseen) {
    this.#seq = seq
    this.#fresh += unseen
    this.#look()
  }

  // Read elsewhere.
  heard(seq) {
    this.#readAt = Math.max(this.#readAt, seq)
  }

  #look() {
    const isHere = this.#log.isAtEnd && this.#log.isJoined
    if (isHere && !document.hidden) this.#fresh = 0
    const link = this.#room.querySelector('[data-part="latest"]')
    link.hidden = isHere
    const count = link.querySelector(".count")
    count.hidden = !this.#fresh
    count.textContent = this.#fresh > 99 ? "99+" : this.#fresh
    if (!isHere || document.hidden) return
    clearTimeout(this.#timer)
    this.#timer = setTimeout(async () => {
      const seq = this.#seq
      if (document.hidden || !this.#log.isAtEnd || !this.#log.isJoined || this.#readAt >= seq) return
      if (!(await this.#tell(seq))) return
      this.heard(seq)
      this.#lessenBadges()
    }, READ_EVERY)
  }

  // The page was made before this room was read: its numbers beside "Chat" counted what has been read now.
  #lessenBadges() {
    for (const count of document.querySelectorAll('a[href="/chat/"] > .count')) {
      const left = parseInt(count.textContent) - this.#wasNew
      if (count.textContent.endsWith("+")) continue
      if (left > 0) count.textContent = left
      else count.remove()
    }
    this.#wasNew = 0
  }
}
