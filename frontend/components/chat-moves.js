// Where one goes in a room, and what one begins there: to the latest, to what was quoted, an answer, a change of words.
import { knock } from "./chat-door.js"

export class ChatMoves extends EventTarget {
  #room
  #log
  #composer
  #history
  #line

  constructor(room, { log, composer, history, line }) {
    super()
    this.#room = room
    this.#log = log
    this.#composer = composer
    this.#history = history
    this.#line = line
    room.addEventListener("click", (event) => this.#clicked(event))
    composer?.addEventListener("change", ({ detail }) => this.#change(detail))
    composer?.addEventListener("again", () => this.#begin(log.lastOwn()))
  }

  async jump(address) {
    return this.#history.jump(address)
  }

  async toLatest() {
    if (this.#log.isThread) return location.assign(`/chat/${this.#room.dataset.room}#latest`)
    if (!this.#log.isJoined) {
      await this.jump(location.pathname)
      history.replaceState(null, "", location.pathname)
    }
    this.#log.scrollToEnd()
  }

  #clicked(event) {
    const item = event.target.closest(".message")
    const chosen = event.target.closest(".reply, .change, .retry, .discard, .to-latest, .message .quoted")
    if (!chosen || event.ctrlKey || event.metaKey) return
    if (chosen.matches(".quoted") && this.#room.querySelector(`.log ${chosen.hash || "nothing"}`)) return
    if (chosen.matches(".reply, .change") && !this.#composer) return
    event.preventDefault()
    chosen.closest("details")?.removeAttribute("open")
    if (chosen.matches(".reply")) this.#composer.answer(told(item))
    else if (chosen.matches(".change")) this.#begin(item)
    else if (chosen.matches(".retry")) this.#say("retry", item.dataset.clientId)
    else if (chosen.matches(".discard")) this.#say("discard", item.dataset.clientId)
    else if (chosen.matches(".to-latest")) this.toLatest()
    else this.#toMessage(chosen)
  }

  // A message that is not on this page: the page around it.
  async #toMessage(link) {
    const address = `/chat/${this.#room.dataset.room}/messages/${link.hash.replace("#message-", "")}`
    if (this.#log.isThread || !(await this.jump(address))) return location.assign(address)
    location.hash = link.hash
  }

  #begin(item) {
    if (item) this.#composer.change({ id: item.dataset.id, body: item.dataset.body })
  }

  async #change({ id, body, before }) {
    const fields = new FormData()
    fields.set("_csrf", this.#composer.token)
    fields.set("body", body)
    const { ok, detail } = await knock(`/chat/${this.#room.dataset.room}/messages/${id}/edit`, fields)
    if (ok) return this.#line.look()
    // The words that were not taken stand in the composer again.
    if (this.#composer.isEmpty) this.#composer.change({ id, body, before })
    this.#say("trouble", detail || this.#room.dataset.noLine)
  }

  #say(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }))
  }
}

function told(item) {
  const words = item.querySelector(".bubble").cloneNode(true)
  words.querySelector(".quoted")?.remove()
  return { id: item.dataset.id, name: item.querySelector(".by a").textContent, text: words.textContent.trim() }
}
