// <chat-order> says above the composer what keeps one from writing, until when and why: the room is frozen or slow, or one
// is silenced. It is rendered by the server; here it follows what happens in the room meanwhile.
import { momentOf } from "./chat-rules.js"

const BY_WEIGHT = ["silence", "freeze", "slow"]

class ChatOrder extends HTMLElement {
  #orders = new Map()

  connectedCallback() {
    this.#takeAll(this)
    this.closest("chat-room")?.addEventListener("room-event", ({ detail }) => this.#heard(detail.data ?? {}))
  }

  #heard({ what, on, seconds, until, reason, member }) {
    const isMine = member?.id === this.dataset.member
    if (!BY_WEIGHT.includes(what) || (what === "silence" && !isMine)) return
    if (on) this.#orders.set(what, { kind: what, until, reason, seconds })
    else this.#orders.delete(what)
    this.#show()
    // Everybody hears that somebody was silenced; why is for them alone, and they ask for it.
    if (on && what === "silence") this.#ask()
  }

  async #ask() {
    const answer = await fetch(this.dataset.address).catch(() => null)
    if (!answer?.ok) return
    const page = new DOMParser().parseFromString(await answer.text(), "text/html")
    this.#takeAll(page.querySelector("chat-order"))
  }

  #takeAll({ dataset }) {
    this.#orders = new Map(JSON.parse(dataset.orders).map((order) => [order.kind, order]))
    this.#show()
  }

  #show() {
    const words = this.dataset
    const order = BY_WEIGHT.map((kind) => this.#orders.get(kind)).find(Boolean)
    this.firstElementChild.hidden = !order
    this.querySelector("span").textContent = order ? this.#sentence(order, words) : ""
    const form = this.closest("chat-room").querySelector("form.say")
    if (!words.member || !form?.elements.body) return
    const isShut = this.#orders.has("silence") || (this.#orders.has("freeze") && !words.moderates)
    for (const part of form.querySelectorAll("textarea, button, input[type=file]")) part.disabled = isShut
  }

  #sentence({ kind, until, reason, seconds }, { saySilence, sayFreeze, saySlow, sayUntil, sayWhy }) {
    const what = { silence: saySilence, freeze: sayFreeze, slow: saySlow }[kind].replace("{n}", seconds)
    const end = until && sayUntil.replace("{time}", () => momentOf(until, document.documentElement.lang))
    return [what, end, reason && sayWhy.replace("{reason}", () => reason)].filter(Boolean).join(" ")
  }
}

customElements.define("chat-order", ChatOrder)
