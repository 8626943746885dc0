// Keeps the figures of /earn true while somebody looks at them: asks again every three seconds, and at once after
// the page was hidden. Without JavaScript the page is simply as old as its last load.
const EVERY = 3000
const SLOWER = 30000

class EarnLive extends HTMLElement {
  #timer
  #shown = ""
  #wait = EVERY

  connectedCallback() {
    document.addEventListener("visibilitychange", this.#look)
    this.#timer = setTimeout(this.#look, this.#wait)
  }

  disconnectedCallback() {
    document.removeEventListener("visibilitychange", this.#look)
    clearTimeout(this.#timer)
  }

  #look = async () => {
    clearTimeout(this.#timer)
    if (document.visibilityState !== "visible") return
    try {
      const answer = await fetch(this.dataset.src, { headers: { Accept: "text/html" } })
      if (answer.redirected || answer.status === 401) return location.reload()
      if (answer.ok) this.#show(await answer.text())
      this.#wait = answer.ok ? EVERY : SLOWER
    } catch {
      this.#wait = SLOWER
    }
    this.#timer = setTimeout(this.#look, this.#wait)
  }

  // Only a change is drawn, and not under somebody's hands: a focused link would lose its focus.
  #show(html) {
    if (html === this.#shown || this.contains(document.activeElement)) return
    this.#shown = html
    this.innerHTML = html
  }
}

customElements.define("earn-live", EarnLive)
