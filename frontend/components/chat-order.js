// <chat-order> says above the composer what keeps one from writing: the room is frozen or slow, or one is silenced.
// It is rendered by the server; here it follows what happens in the room meanwhile.
class ChatOrder extends HTMLElement {
  connectedCallback() {
    this.closest("chat-room")?.addEventListener("room-event", ({ detail }) => this.#heard(detail.data ?? {}))
  }

  #heard({ what, on, seconds, member }) {
    if (what === "freeze") this.toggleAttribute("data-frozen", on)
    else if (what === "slow") this.dataset.seconds = seconds
    else if (what === "silence" && member?.id === this.dataset.member) this.toggleAttribute("data-silenced", on)
    else return
    this.#show()
  }

  #show() {
    const { seconds, member, moderates } = this.dataset
    const isFrozen = this.hasAttribute("data-frozen")
    const isSilenced = this.hasAttribute("data-silenced")
    const isSlow = Number(seconds) > 0
    const text = this.querySelector("span")
    if (isSilenced) text.textContent = this.dataset.saySilenced
    else if (isFrozen) text.textContent = this.dataset.sayFrozen
    else text.textContent = isSlow ? this.dataset.saySlow.replace("{n}", seconds) : ""
    this.firstElementChild.hidden = !(isSilenced || isFrozen || isSlow)
    const form = this.closest("chat-room").querySelector("form.say")
    if (!member || !form?.elements.body) return
    const isShut = isSilenced || (isFrozen && !moderates)
    for (const part of form.querySelectorAll("textarea, button")) part.disabled = isShut
  }
}

customElements.define("chat-order", ChatOrder)
