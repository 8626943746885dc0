// While a handle is being written: who is meant? A list above the composer, walked by arrow keys, chosen by Enter or Tab.
const PATIENCE = 120

// The handle that is being written before the caret, with where it begins; null when none is.
export function handleBefore(text, caret) {
  const found = /(?:^|[\s(（，。、])@([\p{L}\p{N}_-]{0,40})$/u.exec(text.slice(0, caret))
  return found && { from: caret - found[1].length - 1, part: found[1] }
}

export class ChatMentions {
  #field
  #room
  #words
  #list
  #chosen = 0
  #people = []
  #known = new Map()
  #timer

  constructor(field, room) {
    this.#field = field
    this.#room = room
    this.#words = room.dataset
    this.#list = document.createElement("ul")
    Object.assign(this.#list, { className: "names", id: `names-${this.#words.room}`, hidden: true })
    this.#list.setAttribute("role", "listbox")
    this.#list.setAttribute("aria-label", this.#words.whom)
    field.form.append(this.#list)
    field.setAttribute("aria-autocomplete", "list")
    field.setAttribute("aria-controls", this.#list.id)
    field.addEventListener("input", () => this.#look())
    field.addEventListener("blur", () => this.#close())
    // Before the composer, which would send.
    field.addEventListener("keydown", (event) => this.#key(event), { capture: true })
    this.#list.addEventListener("pointerdown", (event) => {
      event.preventDefault()
      const item = event.target.closest("li")
      if (item) this.#choose([...this.#list.children].indexOf(item))
    })
    this.#look()
  }

  get #handle() {
    const { value, selectionStart, selectionEnd } = this.#field
    return selectionStart === selectionEnd ? handleBefore(value, selectionStart) : null
  }

  #look() {
    clearTimeout(this.#timer)
    const handle = this.#handle
    if (!handle) return this.#close()
    const part = handle.part.toLowerCase()
    this.#show(this.#near(part))
    this.#timer = setTimeout(() => this.#ask(part), PATIENCE)
  }

  // Who wrote here lately is at hand without asking.
  #near(part) {
    for (const item of this.#room.querySelectorAll(".log .message:not(.me)")) {
      const link = item.querySelector(".by a[href]")
      if (link) this.#known.set(link.getAttribute("href").slice(2), { name: link.textContent, face: item.querySelector(".face") })
    }
    return [...this.#known]
      .filter(([handle, { name }]) => handle.toLowerCase().startsWith(part) || name.toLowerCase().startsWith(part))
      .map(([handle, { name, face }]) => ({ handle, name, face }))
      .slice(-8)
      .reverse()
  }

  async #ask(part) {
    try {
      const answer = await fetch(`/chat/${this.#words.room}/names?part=${encodeURIComponent(part)}`, { headers: { Accept: "application/json" } })
      if (!answer.ok || this.#handle?.part.toLowerCase() !== part) return
      const found = await answer.json()
      const near = this.#people.map(({ handle }) => handle)
      this.#show([...this.#people, ...found.filter(({ handle }) => !near.includes(handle))].slice(0, 8), this.#chosen)
    } catch {
      // Offline: those at hand will do.
    }
  }

  #show(people, chosen = 0) {
    this.#people = people
    if (!people.length) return this.#close()
    this.#list.replaceChildren(...people.map((person, n) => this.#item(person, n)))
    this.#list.hidden = false
    // A plain text field again as soon as nobody is being called.
    this.#field.setAttribute("role", "combobox")
    this.#field.setAttribute("aria-expanded", "true")
    this.#point(Math.min(chosen, people.length - 1))
  }

  #item({ handle, name, face }, n) {
    const item = document.createElement("li")
    item.id = `${this.#list.id}-${n}`
    item.setAttribute("role", "option")
    const small = face?.cloneNode(true)
    small?.classList.add("s")
    small?.removeAttribute("href")
    const whole = document.createElement("b")
    whole.textContent = name || handle
    const sign = document.createElement("span")
    sign.className = "meta"
    sign.textContent = `@${handle}`
    item.append(...(small ? [small] : []), whole, sign)
    return item
  }

  #point(n) {
    this.#chosen = n
    for (const [place, item] of [...this.#list.children].entries()) item.ariaSelected = String(place === n)
    this.#field.setAttribute("aria-activedescendant", `${this.#list.id}-${n}`)
    this.#list.children[n].scrollIntoView({ block: "nearest" })
  }

  #key(event) {
    if (this.#list.hidden || event.isComposing || event.keyCode === 229) return
    const count = this.#people.length
    if (event.key === "ArrowDown") this.#point((this.#chosen + 1) % count)
    else if (event.key === "ArrowUp") this.#point((this.#chosen + count - 1) % count)
    else if (event.key === "Enter" || event.key === "Tab") this.#choose(this.#chosen)
    else if (event.key === "Escape") this.#close()
    else return
    event.preventDefault()
    event.stopImmediatePropagation()
  }

  #choose(n) {
    const { handle } = this.#people[n]
    const { from } = this.#handle
    this.#field.setRangeText(`@${handle} `, from, this.#field.selectionStart, "end")
    this.#close()
    this.#field.dispatchEvent(new Event("input", { bubbles: true }))
    this.#field.focus()
  }

  #close() {
    clearTimeout(this.#timer)
    this.#list.hidden = true
    for (const name of ["role", "aria-expanded", "aria-activedescendant"]) this.#field.removeAttribute(name)
  }
}
