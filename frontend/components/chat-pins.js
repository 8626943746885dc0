// <chat-pins> shows the last pinned message above the room, and asks the server for it anew when pins change.
// It also keeps count of the answers below each message.
const PATIENCE = 1_500

class ChatPins extends HTMLElement {
  #timer

  connectedCallback() {
    this.closest("chat-room")?.addEventListener("pin-event", ({ detail }) => this.#heard(detail))
  }

  disconnectedCallback() {
    clearTimeout(this.#timer)
  }

  #heard({ kind, id, answered }) {
    if (answered) return this.#count(answered)
    const isShown = this.querySelector(`a[href$="/messages/${CSS.escape(id)}"]`)
    if (kind !== "pin" && !isShown) return
    clearTimeout(this.#timer)
    // Everybody in the room hears of it at once; they need not all ask at once.
    this.#timer = setTimeout(() => this.#ask(), Math.random() * PATIENCE)
  }

  #count({ id, n }) {
    const room = this.closest("chat-room")
    const link = room.querySelector(`#message-${CSS.escape(id)} > .answers`)
    if (!link) return
    link.hidden = !n
    link.href = `?thread=${id}`
    link.lastElementChild.textContent = room.dataset[n === 1 ? "answersOne" : "answersMany"].replace("{n}", n)
  }

  async #ask() {
    const answer = await fetch(this.dataset.address).catch(() => null)
    if (answer?.ok) this.innerHTML = await answer.text()
  }
}

customElements.define("chat-pins", ChatPins)
