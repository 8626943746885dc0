// <live-stage>: the products, the poll and the questions of a live event. <chat-room> beside it hears what moves in the
// room and passes it on; figures are filled in at once, the rest is fetched anew. Without a room's line it asks by itself.
const SELDOM = 30_000
const ALONE = 10_000
// Everybody in the room hears the same word at the same moment; not all of them shall ask in that moment: some seventy a
// second, however many they are.
const SPREAD = 1_000
const EACH = 15
const APART = 1_000

class LiveStage extends HTMLElement {
  #timer
  #soon
  #askedAt = 0
  #shown = ""
  #waiting = ""

  connectedCallback() {
    if (this.dataset.still !== undefined) return
    this.#shown = this.innerHTML
    document.addEventListener("room-event", this.#heard)
    document.addEventListener("visibilitychange", this.#comeBack)
    this.addEventListener("focusout", this.#show)
    this.addEventListener("submit", this.#send)
    this.#timer = setInterval(this.#ask, this.dataset.seconds * 1000 || (this.#isHearing ? SELDOM : ALONE))
  }

  disconnectedCallback() {
    document.removeEventListener("room-event", this.#heard)
    document.removeEventListener("visibilitychange", this.#comeBack)
    clearInterval(this.#timer)
    clearTimeout(this.#soon)
  }

  get #isHearing() {
    return Boolean(document.querySelector("chat-room")?.dataset.member)
  }

  get #crowd() {
    return Number(document.querySelector("chat-room")?.dataset.online) || 0
  }

  #heard = async ({ detail: { kind, id, data } }) => {
    if (kind === "delete") return this.querySelector(`[data-message="${id}"]`)?.remove()
    if (data?.what === "product" || data?.what === "counts") (await import("./live-figures.js"))[data.what](this, data)
    else if (data?.what === "live") location.reload()
    else if (["pin", "unpin", "poll", "question"].includes(data?.what)) {
      clearTimeout(this.#soon)
      this.#soon = setTimeout(this.#ask, Math.random() * Math.max(SPREAD, EACH * this.#crowd))
    }
  }

  // A vote stays on the page; what cannot be sent so is sent as the form it is.
  #send = async (event) => {
    const form = event.target
    event.preventDefault()
    const body = new FormData(form, event.submitter)
    event.submitter?.setAttribute("aria-busy", "true")
    try {
      // Where a page without us would be led to need not be fetched.
      const answer = await fetch(form.action, { method: "POST", body, redirect: "manual" })
      if (!answer.ok && answer.type !== "opaqueredirect") throw new Error(answer.status)
      event.submitter?.blur()
      this.#askedAt = 0
      await this.#ask()
    } catch {
      form.submit()
    }
  }

  #comeBack = () => document.hidden || this.#ask()

  #ask = async () => {
    if (document.hidden) return
    const wait = this.#askedAt + APART - Date.now()
    if (wait > 0) {
      clearTimeout(this.#soon)
      this.#soon = setTimeout(this.#ask, wait)
      return
    }
    this.#askedAt = Date.now()
    try {
      const answer = await fetch(this.dataset.src)
      if (answer.status === 404) return clearInterval(this.#timer)
      if (!answer.ok) return
      this.#waiting = await answer.text()
      this.#show()
    } catch {
      // The next word of the room, or the next minute, tries again.
    }
  }

  // Not under somebody's hands: a focused button would lose its focus.
  #show = () => {
    setTimeout(() => {
      if (!this.#waiting || this.#waiting === this.#shown || this.contains(document.activeElement)) return
      const open = [...this.querySelectorAll("details")].map((one) => one.open)
      this.innerHTML = this.#shown = this.#waiting
      this.querySelectorAll("details").forEach((one, n) => (one.open = open[n] ?? false))
    })
  }
}

customElements.define("live-stage", LiveStage)
