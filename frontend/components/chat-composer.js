import { again } from "./again.js"

// Where one writes: a form that also works alone. It says "say" or "change", and "typing" now and then.
const TYPING_EVERY = 2_000

export class ChatComposer extends EventTarget {
  #form
  #field
  #keeper
  #words
  #typedAt = 0
  // The message that is being changed, and what stood here before.
  #changing = null
  #files
  #isWaiting = false
  #root = ""

  constructor(form, words) {
    super()
    this.#form = form
    this.#field = form.elements.body
    this.#keeper = form.querySelector("draft-keeper")
    this.#words = words
    // On the page of a thread everything answers its first message, unless another one is chosen.
    if (words.thread) this.#root = words.thread
    form.addEventListener("submit", (event) => this.#submit(event))
    form.querySelector(".quoting a").addEventListener("click", (event) => {
      event.preventDefault()
      this.quit()
    })
    form.addEventListener("complain", ({ detail }) => this.#say("complain", detail))
    this.#field.addEventListener("input", () => this.#typing())
    this.#field.addEventListener("keydown", (event) => this.#key(event))
  }

  // Calling people and bringing files: ready by the time one has looked where to write.
  async getMore(room) {
    const [{ ChatMentions }, { ChatFiles }] = await again(() => Promise.all([import("./chat-mentions.js"), import("./chat-files.js")]))
    new ChatMentions(this.#field, room)
    if (this.#form.elements.files) this.#files = new ChatFiles(this.#form, room)
  }

  get action() {
    return this.#form.action
  }

  get token() {
    return new FormData(this.#form).get("_csrf")
  }

  get isEmpty() {
    return !this.#field.value.trim()
  }

  // Nothing can be said here any more; what was begun can still be copied.
  shut() {
    this.#field.readOnly = true
    this.#form.querySelector("button").disabled = true
  }

  focus() {
    this.#field.focus()
  }

  answer({ id, name, text }) {
    if (this.#changing) this.quit()
    this.#form.elements.reply_to.value = id
    this.#quoting(name, text)
    this.focus()
  }

  // Change one's own words here, where they were written.
  change({ id, body }) {
    this.#changing = { id, before: this.#changing?.before ?? this.#field.value, body }
    this.#form.elements.reply_to.value = ""
    this.#form.classList.add("changing")
    this.#fill(body)
    this.#quoting(this.#words.changing, "")
    this.focus()
    this.#field.setSelectionRange(body.length, body.length)
  }

  // Neither answer nor change: what stood here before stands here again.
  quit() {
    if (this.#changing) this.#fill(this.#changing.before)
    this.#changing = null
    this.#form.classList.remove("changing")
    this.#form.elements.reply_to.value = this.#root
    this.#form.querySelector(".quoting").hidden = true
    this.focus()
  }

  async #submit(event) {
    event.preventDefault()
    if (this.#isWaiting) return
    if (this.#changing) return this.#changed()
    this.#isWaiting = true
    if (this.#files?.isBusy) {
      this.#say("waiting")
      await this.#files.settled()
    }
    // At once where it can be: what is written stands there before the key is released.
    let files = this.#files?.hand() ?? []
    if (files instanceof Promise) files = await files
    this.#isWaiting = false
    if (!files) return
    const body = this.#field.value.trim()
    if (!body && !files.length) return
    const quoting = this.#form.querySelector(".quoting")
    const id = this.#form.elements.reply_to.value
    const quote = id && !quoting.hidden ? { id, name: quoting.querySelector("b").textContent, text: quoting.querySelector("b + span").textContent } : undefined
    this.#fill("")
    this.#keeper?.forget()
    this.#form.elements.reply_to.value = this.#root
    quoting.hidden = true
    this.#say("say", { body, reply_to: id || undefined, quote, files: files.length ? files : undefined })
    this.focus()
  }

  #changed() {
    const { id, body: before } = this.#changing
    const body = this.#field.value.trim()
    this.quit()
    if (body && body !== before) this.#say("change", { id, body, before })
  }

  #key(event) {
    // While an input method composes, Enter chooses a word and Escape lets it go; 229 is how some browsers say so.
    if (event.isComposing || event.keyCode === 229 || event.defaultPrevented) return
    const isPlain = !event.shiftKey && !event.ctrlKey && !event.metaKey && !event.altKey
    if (event.key === "Enter" && ((isPlain && matchMedia("(pointer: fine)").matches) || event.ctrlKey || event.metaKey)) {
      event.preventDefault()
      this.#form.requestSubmit()
    } else if (event.key === "Escape" && (this.#changing || this.#form.elements.reply_to.value !== this.#root)) {
      event.preventDefault()
      this.quit()
    } else if (event.key === "ArrowUp" && isPlain && !this.#field.value) {
      event.preventDefault()
      this.#say("again")
    }
  }

  #typing() {
    if (this.#changing || this.isEmpty || Date.now() - this.#typedAt < TYPING_EVERY) return
    this.#typedAt = Date.now()
    this.#say("typing")
  }

  #quoting(name, text) {
    const quoting = this.#form.querySelector(".quoting")
    quoting.hidden = false
    quoting.querySelector("b").textContent = name
    quoting.querySelector("b + span").textContent = text.slice(0, 80)
  }

  // As if typed, so that the draft and whatever else listens to the field know of it; only nobody "is writing".
  #fill(text) {
    this.#field.value = text
    this.#typedAt = Date.now()
    this.#field.dispatchEvent(new Event("input", { bubbles: true }))
  }

  #say(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }))
  }
}
