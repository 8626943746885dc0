// <live-stage>: the products, the poll and the questions of a live event. They come by the room's own line as soon as they
// change (<chat-room> beside it passes them on), the same to everybody; figures are filled in at once. What is the reader's
// own (votes, form token, whom they blocked) is kept here. Without a line, or when nothing came, it asks by itself.
import { again } from "./again.js"
import { carryOver, sendAsForm } from "./live-own.js"

const SELDOM = 120_000
const ALONE = 5_000
const APART = 1_000
// A word of the room that changes the stage is followed by the stage. If not: not all of them shall ask in one moment.
const PATIENCE = 1_500
const SPREAD = 1_000
const MOVES = ["pin", "unpin", "poll", "question", "live"]

class LiveStage extends HTMLElement {
  #timer
  #soon
  #askedAt = 0
  #seq = 0
  // Of each part: what the server last said, as it said it.
  #said = new Map()
  #waiting = null
  #figures
  #token = ""

  connectedCallback() {
    this.#token = document.querySelector("input[name=_csrf]")?.value ?? ""
    for (const part of this.children) this.#said.set(part.id, part.outerHTML)
    if (this.dataset.still !== undefined) return
    document.addEventListener("room-event", this.#heard)
    document.addEventListener("stage", this.#told)
    document.addEventListener("visibilitychange", this.#comeBack)
    this.addEventListener("focusout", this.#showLater)
    this.addEventListener("submit", this.#send)
    this.#timer = setInterval(this.#ask, this.#isHearing ? SELDOM : ALONE)
  }

  disconnectedCallback() {
    document.removeEventListener("room-event", this.#heard)
    document.removeEventListener("stage", this.#told)
    document.removeEventListener("visibilitychange", this.#comeBack)
    clearInterval(this.#timer)
    clearTimeout(this.#soon)
  }

  get #room() {
    return document.querySelector("chat-room")
  }

  get #isHearing() {
    return Boolean(this.#room?.dataset.member)
  }

  #heard = async ({ detail: { kind, id, seq, data } }) => {
    if (kind === "delete") return this.querySelector(`[data-message="${id}"]`)?.remove()
    if (data?.what === "product" || data?.what === "counts") (await (this.#figures ??= again(() => import("./live-figures.js"))))[data.what](this, data)
    else if (MOVES.includes(data?.what) && seq > this.#seq) this.#askIn(PATIENCE + Math.random() * SPREAD)
  }

  #told = ({ detail: { seq, html } }) => {
    if (seq < this.#seq) return
    if (html === undefined) return this.#askIn(Math.random() * SPREAD)
    this.#seq = seq
    clearTimeout(this.#soon)
    this.#take(html)
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
      sendAsForm(form, event.submitter)
    }
  }

  #comeBack = () => document.hidden || this.#ask()

  #askIn(wait) {
    clearTimeout(this.#soon)
    this.#soon = setTimeout(this.#ask, wait)
  }

  #ask = async () => {
    if (document.hidden) return
    const wait = this.#askedAt + APART - Date.now()
    if (wait > 0) return this.#askIn(wait)
    this.#askedAt = Date.now()
    try {
      const answer = await fetch(this.dataset.src)
      if (answer.status === 404) return clearInterval(this.#timer)
      if (answer.ok) this.#take(await answer.text(), { isOwn: this.#isHearing })
    } catch {
      // The next word of the room, or the next minute, tries again.
    }
  }

  #take(html, { isOwn = false } = {}) {
    const page = document.createElement("template")
    page.innerHTML = html
    // What was asked for by this reader has their votes in it already.
    this.#waiting = { page: page.content, isOwn }
    this.#show()
  }

  #showLater = () => setTimeout(() => this.#show())

  // Part by part, and not under somebody's hands: a focused button would lose its focus.
  #show() {
    if (!this.#waiting) return
    const { page, isOwn } = this.#waiting
    const parts = new Map([...page.children].map((part) => [part.id, part]))
    let isLeft = false
    for (const old of [...this.children]) {
      if (parts.has(old.id) || old.matches("template")) continue
      if (old.contains(document.activeElement)) isLeft = true
      else old.remove()
    }
    let before = null
    for (const [id, part] of parts) {
      const old = [...this.children].find((one) => one.id === id)
      const said = part.outerHTML
      if (old && this.#said.get(id) === said) before = old
      else if (old?.contains(document.activeElement)) [before, isLeft] = [old, true]
      else {
        const fresh = part.cloneNode(true)
        carryOver(fresh, old, { isOwn, token: this.#token, unwanted: this.#room?.dataset.blocked })
        if (old) old.replaceWith(fresh)
        else if (before) before.after(fresh)
        else this.prepend(fresh)
        this.#said.set(id, said)
        before = fresh
      }
    }
    if (!isLeft) this.#waiting = null
    this.#turn()
    this.#announce()
  }

  // Planned, live, over: the head says so, and what belongs to another state goes.
  #turn() {
    const status = this.querySelector(":scope > template")
    const { state } = status?.dataset ?? {}
    if (!state || state === this.dataset.state) return
    this.dataset.state = state
    document.getElementById("live-status")?.replaceChildren(status.content.cloneNode(true))
    for (const part of document.querySelectorAll("[data-during]")) part.hidden = !part.dataset.during.split(" ").includes(state)
  }

  #announce() {
    const line = document.getElementById("live-told")
    const name = this.querySelector(".pinned.now .name")?.textContent
    if (line && name && line.dataset.name !== name) {
      line.dataset.name = name
      line.textContent = `${this.dataset.showing}: ${name}`
    }
  }
}

customElements.define("live-stage", LiveStage)
