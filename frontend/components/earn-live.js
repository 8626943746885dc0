// Keeps the figures of /earn true while somebody looks at them: the live socket says that something moved, and the page
// asks for its moving part. Without a socket it asks every four seconds. Without JavaScript the page is as old as its load.
const POLL = 4000
const PING = 60_000
const APART = 1000
const LONGEST_PAUSE = 30_000

class EarnLive extends HTMLElement {
  #timer
  #pinging
  #again
  #socket
  #failures = 0
  #shown = ""
  #waiting = ""
  #askedAt = 0
  #asking
  #gone = false

  connectedCallback() {
    this.#gone = false
    document.addEventListener("visibilitychange", this.#comeBack)
    this.addEventListener("focusout", this.#show)
    this.#connect()
    this.#poll()
  }

  disconnectedCallback() {
    this.#gone = true
    document.removeEventListener("visibilitychange", this.#comeBack)
    this.removeEventListener("focusout", this.#show)
    for (const timer of [this.#timer, this.#again]) clearTimeout(timer)
    clearInterval(this.#pinging)
    this.#socket?.close()
  }

  get #isLive() {
    return this.#socket?.readyState === WebSocket.OPEN
  }

  #connect() {
    if (this.#gone) return
    const socket = (this.#socket = new WebSocket(location.origin.replace(/^http/, "ws") + "/live"))
    socket.onopen = () => {
      this.#failures = 0
      socket.send('{"type":"watch_earn"}')
      this.#pinging = setInterval(() => this.#isLive && socket.send('{"type":"ping"}'), PING)
      this.#ask()
    }
    socket.onmessage = ({ data }) => {
      const frame = JSON.parse(data)
      if (frame.type === "notify" && frame.about === "earn") this.#ask()
    }
    socket.onclose = ({ code }) => {
      clearInterval(this.#pinging)
      if (this.#gone || code === 4403) return
      if (code === 4401) return this.#ask()
      this.#failures += 1
      const pause = Math.min(LONGEST_PAUSE, 1000 * 2 ** this.#failures) * (0.5 + Math.random() / 2)
      this.#again = setTimeout(() => this.#connect(), pause)
    }
  }

  // Only while the socket is silent.
  #poll = async () => {
    if (!this.#isLive) await this.#ask()
    if (!this.#gone) this.#timer = setTimeout(this.#poll, POLL)
  }

  #comeBack = () => document.visibilityState === "visible" && this.#ask()

  // Several changes at once are one question.
  #ask = async () => {
    if (document.visibilityState !== "visible") return
    const wait = this.#askedAt + APART - Date.now()
    if (wait > 0) {
      clearTimeout(this.#asking)
      this.#asking = setTimeout(this.#ask, wait)
      return
    }
    this.#askedAt = Date.now()
    try {
      const answer = await fetch(this.dataset.src, { headers: { Accept: "text/html" } })
      if (answer.redirected || answer.status === 401) return location.reload()
      if (answer.ok) {
        this.#waiting = await answer.text()
        this.#show()
      }
    } catch {
      // The next signal or poll tries again.
    }
  }

  // Only a change is drawn, and not under somebody's hands: a focused link would lose its focus, an open table close.
  #show = () => {
    setTimeout(() => {
      if (this.#waiting === this.#shown || this.contains(document.activeElement)) return
      const open = [...this.querySelectorAll("details")].map((one) => one.open)
      this.innerHTML = this.#shown = this.#waiting
      this.querySelectorAll("details").forEach((one, n) => (one.open = open[n] ?? false))
    })
  }
}

customElements.define("earn-live", EarnLive)
