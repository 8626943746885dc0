// <draft-keeper data-key="topic:12:reply" data-saved="Draft saved"><textarea></textarea></draft-keeper>
// Words typed here outlive a closed tab, a lost session and a failed send; they go once they were sent.
// Whose they are stands with them: at a browser that several people use, nobody finds what another began to write.
const ALL = "draft:"
const PREFIX = `${ALL}${document.body.dataset.member ?? ""}:`
const KEPT_DAYS = 14

class DraftKeeper extends HTMLElement {
  #field
  #form
  #timer
  #key

  connectedCallback() {
    this.#field = this.querySelector("textarea")
    this.#form = this.#field?.form
    this.#key = PREFIX + this.dataset.key
    if (!this.#field) return
    const kept = read(this.#key)
    if (kept && !this.#field.value.trim()) this.#field.value = kept.text
    this.#field.addEventListener("input", () => this.#later())
    this.#form?.addEventListener("submit", () => this.#send())
    this.#form?.addEventListener("htmx:after:request", (event) => {
      if (event.detail?.ctx?.response?.status < 300) this.forget()
    })
  }

  disconnectedCallback() {
    clearTimeout(this.#timer)
  }

  forget() {
    clearTimeout(this.#timer)
    write(this.#key, "")
  }

  #later() {
    clearTimeout(this.#timer)
    this.#timer = setTimeout(() => {
      write(this.#key, this.#field.value)
      this.#say()
    }, 400)
  }

  #send() {
    clearTimeout(this.#timer)
    if (!this.#form.hasAttribute("hx-post")) write(this.#key, this.#field.value, { sent: true })
  }

  #say() {
    const note = this.parentElement?.querySelector(".draft-note") ?? this.#note()
    note.textContent = this.dataset.saved ?? ""
  }

  #note() {
    const note = document.createElement("span")
    note.className = "draft-note"
    note.setAttribute("role", "status")
    this.after(note)
    return note
  }
}

function read(key) {
  try {
    const kept = JSON.parse(localStorage.getItem(key) ?? "null")
    return kept && Date.now() - kept.at < KEPT_DAYS * 86_400_000 ? kept : null
  } catch {
    return null
  }
}

function write(key, text, { sent = false } = {}) {
  try {
    if (text.trim()) localStorage.setItem(key, JSON.stringify({ text, sent, at: Date.now() }))
    else localStorage.removeItem(key)
  } catch {
    // A full or forbidden storage must never get in the way of writing.
  }
}

// A plain submit leaves the page, so only the page that follows knows how it went: a page of ours means it was sent,
// an error page or coming back to the form means it was not, and the words stay.
function settleSent() {
  const failed = document.querySelector(".oops") || performance.getEntriesByType("navigation")[0]?.type !== "navigate"
  for (const key of Object.keys(localStorage).filter((name) => name.startsWith(ALL))) {
    const kept = read(key)
    if (!kept) localStorage.removeItem(key)
    else if (kept.sent && key.startsWith(PREFIX)) write(key, failed ? kept.text : "")
  }
}

try {
  settleSent()
} catch {
  // Storage is forbidden: there are no drafts then.
}
customElements.define("draft-keeper", DraftKeeper)
