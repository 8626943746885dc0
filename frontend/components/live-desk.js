// <live-desk>: the hosts' desk moves by itself. <chat-room> inside hears what happens in the room; sales and visits are not
// said there, so it looks every few seconds as well. Only what changed is put anew, and nothing under somebody's hands.
import { sendAsForm } from "./live-own.js"

const EVERY = 5_000
const SOON = 250
const TYPED = 250

class LiveDesk extends HTMLElement {
  #timer
  #soon
  #typed
  #said = new Map()
  #asked = 0

  connectedCallback() {
    this.addEventListener("submit", this.#send)
    this.addEventListener("input", this.#search)
    if (this.dataset.still !== undefined) return
    document.addEventListener("room-event", this.#heard)
    document.addEventListener("visibilitychange", this.#look)
    this.#timer = setInterval(this.#look, EVERY)
  }

  disconnectedCallback() {
    document.removeEventListener("room-event", this.#heard)
    document.removeEventListener("visibilitychange", this.#look)
    clearInterval(this.#timer)
    clearTimeout(this.#soon)
  }

  #heard = ({ detail: { kind, data } }) => {
    if (!data?.what && kind !== "delete") return
    clearTimeout(this.#soon)
    this.#soon = setTimeout(this.#look, SOON)
  }

  #look = async () => {
    if (document.hidden) return
    const asked = ++this.#asked
    try {
      const answer = await fetch(this.dataset.src)
      // No longer a host, or signed out: the page itself says it.
      if ([401, 403, 404].includes(answer.status)) return location.reload()
      if (answer.ok && asked === this.#asked) this.#show(await answer.text())
    } catch {
      // The next turn tries again.
    }
  }

  #show(html) {
    const page = document.createElement("template")
    page.innerHTML = html
    const now = page.content.firstElementChild
    // Begun or ended by another host: the whole desk is another one.
    if (now.dataset.state !== this.dataset.state) return this.querySelector("input:focus, textarea:focus") || location.reload()
    for (const part of now.querySelectorAll(":scope > [id]")) {
      const said = part.outerHTML
      const old = document.getElementById(part.id)
      if (!old || this.#said.get(part.id) === said || old.contains(document.activeElement)) continue
      const open = [...old.querySelectorAll("details")].map((one) => one.open)
      part.querySelectorAll("details").forEach((one, n) => (one.open = open[n] ?? false))
      this.#said.set(part.id, said)
      old.replaceWith(part)
    }
  }

  // What is done to a question, a card or a poll is done here; what is refused says why on the page it leads to.
  #send = async (event) => {
    const form = event.target
    if (form.dataset.search !== undefined) {
      event.preventDefault()
      return this.#find(form.q.value)
    }
    if (!form.closest("#desk-pins, #desk-found, #desk-polls, #questions")) return
    event.preventDefault()
    const body = new FormData(form, event.submitter)
    event.submitter?.setAttribute("aria-busy", "true")
    try {
      const answer = await fetch(form.action, { method: "POST", body, redirect: "manual" })
      if (answer.type !== "opaqueredirect") throw new Error(answer.status)
      if (form.note) form.note.value = ""
      event.submitter?.removeAttribute("aria-busy")
      event.submitter?.blur()
      await this.#look()
    } catch {
      sendAsForm(form, event.submitter)
    }
  }

  #search = ({ target }) => {
    if (target.form?.dataset.search === undefined) return
    clearTimeout(this.#typed)
    this.#typed = setTimeout(() => this.#find(target.value), TYPED)
  }

  async #find(q) {
    try {
      const answer = await fetch(`${this.dataset.products}?q=${encodeURIComponent(q)}`)
      const found = document.getElementById("desk-found")
      if (answer.ok && this.querySelector("[data-search]")?.q.value === q) found.outerHTML = await answer.text()
    } catch {
      // The button still asks for the page.
    }
  }
}

customElements.define("live-desk", LiveDesk)
