// What one does with a message: its menu, by pointer, keyboard or a long press; its forms, sent without leaving the page;
// taking it away, with a moment to think again.
import { knock } from "./chat-door.js"
import { remember, suit } from "./chat-signs.js"

const LONG_PRESS = 450
const TIME_TO_THINK = 5_000

export class ChatActs extends EventTarget {
  #room
  #words
  #leaving = new Map()
  #press

  constructor(room) {
    super()
    this.#room = room
    this.#words = room.dataset
    const list = room.querySelector(".log")
    list.addEventListener("submit", (event) => this.#submitted(event))
    list.addEventListener("click", (event) => event.target.closest(".undo") && this.#stay(event.target.closest(".message")))
    list.addEventListener("pointerdown", (event) => this.#pressed(event))
    // Not "scroll": the log moves by itself when somebody speaks, and a finger that scrolls it says "pointercancel".
    for (const name of ["pointerup", "pointercancel", "pointermove"])
      list.addEventListener(name, (event) => this.#let(event), { passive: true })
    list.addEventListener("toggle", ({ target }) => target.open && this.#opened(target), { capture: true })
    // The log also moves by itself when somebody speaks: an open menu goes along, it does not vanish.
    list.addEventListener("scroll", () => this.#room.querySelectorAll(".log details.more[open]").forEach(place), { passive: true })
    list.addEventListener("contextmenu", (event) => this.#press && event.preventDefault())
    // The finger that opened the menu is no mouse: it would put the focus beside the menu, which closes it, and click what
    // has opened under it.
    for (const name of ["touchend", "mousedown"])
      list.addEventListener(name, (event) => this.#press?.hasOpened && event.cancelable && event.preventDefault(), { capture: true, passive: false })
    list.addEventListener("click", (event) => this.#swallow(event), { capture: true })
    addEventListener("pagehide", () => this.#goNow())
  }

  // Any form of a message: its deletion waits, everything else goes at once.
  #submitted(event) {
    const form = event.target
    if (form.method !== "post" || event.defaultPrevented) return
    event.preventDefault()
    form.closest("details")?.removeAttribute("open")
    const item = form.closest(".message")
    if (event.submitter?.name === "emoji") remember(event.submitter.value)
    if (form.matches(".take") && item) this.#leave(item, form)
    else this.#send(form, event.submitter)
  }

  async #send(form, submitter) {
    const { ok, isFinal, detail } = await knock(submitter?.getAttribute("formaction") || form.action, new FormData(form, submitter))
    this.dispatchEvent(new CustomEvent(ok ? "done" : "failed", { detail: isFinal ? detail : this.#words.noLine }))
  }

  #leave(item, form) {
    const after = item.querySelector(".after")
    item.classList.add("leaving")
    const undo = Object.assign(document.createElement("button"), { type: "button", className: "button link undo", textContent: this.#words.undo })
    after.hidden = false
    after.replaceChildren(`${this.#words.leaving} `, undo)
    undo.focus({ preventScroll: true })
    const timer = setTimeout(() => this.#go(item), TIME_TO_THINK)
    this.#leaving.set(item, { timer, address: form.action, fields: new FormData(form) })
  }

  #stay(item) {
    clearTimeout(this.#leaving.get(item)?.timer)
    this.#leaving.delete(item)
    item.classList.remove("leaving")
    item.querySelector(".after").hidden = true
  }

  async #go(item, how) {
    const { address, fields } = this.#leaving.get(item)
    this.#stay(item)
    const { ok, isFinal, detail } = await knock(address, fields, how)
    this.dispatchEvent(new CustomEvent(ok ? "done" : "failed", { detail: isFinal ? detail : this.#words.noLine }))
  }

  // Whoever goes away has thought enough.
  #goNow() {
    for (const item of [...this.#leaving.keys()]) this.#go(item, { keepalive: true })
  }

  #opened(menu) {
    const board = menu.querySelector("form.signs")
    if (board) suit(board, this.#words)
    place(menu)
  }

  // A finger that rests on a message opens its menu.
  #pressed(event) {
    // Another touch begins: whatever the one before still had to swallow will not come.
    clearTimeout(this.#press?.timer)
    this.#press = null
    if (event.pointerType === "mouse" || event.target.closest("a, button, summary, .sheet")) return
    const more = event.target.closest(".message")?.querySelector(".more")
    if (!more) return
    const { clientX, clientY } = event
    const timer = setTimeout(() => {
      this.#press.hasOpened = true
      more.open = true
      navigator.vibrate?.(10)
      getSelection()?.removeAllRanges()
    }, LONG_PRESS)
    this.#press = { timer, clientX, clientY }
  }

  #let(event) {
    if (!this.#press) return
    const { timer, clientX, clientY } = this.#press
    if (event.type === "pointermove" && Math.hypot(event.clientX - clientX, event.clientY - clientY) < 8) return
    clearTimeout(timer)
    const press = this.#press
    setTimeout(() => this.#press === press && (this.#press = null), 1500)
  }

  #swallow(event) {
    if (!this.#press?.hasOpened) return
    event.preventDefault()
    event.stopPropagation()
    this.#press = null
  }
}

// The log scrolls and would cut a menu off: it stands on the window, wherever it fits beside its button.
function place(menu) {
  const sheet = menu.querySelector(".sheet")
  const { top, bottom, left, right } = menu.getBoundingClientRect()
  const { width, height } = sheet.getBoundingClientRect()
  const below = bottom + height + 8 < innerHeight
  const isFromLeft = menu.closest(".me") === null && left + width < innerWidth
  sheet.style.setProperty("--top", `${Math.max(8, below ? bottom + 4 : top - height - 4)}px`)
  sheet.style.setProperty("--left", `${Math.max(8, isFromLeft ? left : right - width)}px`)
  sheet.classList.add("placed")
}
