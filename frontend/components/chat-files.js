// Pictures and files on their way into a message: chosen, pasted or dropped, brought in one by one while one writes on,
// each with its progress and a way out. What finds no line is kept in this browser and goes out with its message. Without
// scripts the form itself brings them.
import { detailOf } from "./chat-door.js"
import { keep, letGo } from "./chat-kept.js"
import { newId } from "./chat-outbox.js"

const MOST = 10

export class ChatFiles {
  #form
  #room
  #words
  #tray
  #input
  #bringing = new Set()

  constructor(form, room) {
    this.#form = form
    this.#room = room
    this.#words = room.dataset
    this.#input = form.querySelector("input[type=file]")
    this.#tray = Object.assign(document.createElement("ul"), { className: "tray", hidden: true })
    form.querySelector(".quoting").after(this.#tray)
    this.#input.addEventListener("change", () => this.#take(this.#input.files))
    form.addEventListener("paste", (event) => this.#takeFrom(event, event.clipboardData))
    room.addEventListener("dragover", (event) => event.dataTransfer.types.includes("Files") && this.#invite(event))
    for (const name of ["dragleave", "drop"]) room.addEventListener(name, () => room.classList.remove("dropping"))
    room.addEventListener("drop", (event) => this.#takeFrom(event, event.dataTransfer))
    this.#take(this.#input.files)
  }

  get isBusy() {
    return this.#bringing.size > 0
  }

  // What was brought in, for the message that is being sent now; the tray is empty then. What found no line is kept here
  // first, which takes a moment; null where this browser cannot: the message waits in its field.
  hand() {
    const items = [...this.#tray.children].filter((item) => item.file || item.waits)
    return items.some((item) => item.waits) ? this.#handKept(items) : this.#given(items)
  }

  async #handKept(items) {
    try {
      for (const item of items) item.file ??= await this.#keep(item.waits)
      return this.#given(items)
    } catch {
      this.#form.dispatchEvent(new CustomEvent("complain", { detail: this.#words.noSpace }))
      return null
    }
  }

  #given(items) {
    for (const item of items) this.#forget(item)
    return items.map((item) => item.file)
  }

  async #keep(file) {
    const key = newId()
    await keep(key, file)
    return { key, name: nameOf(file), kind: "paper", url: "", bytes: file.size }
  }

  // All that was chosen is there, or has failed.
  async settled() {
    await Promise.allSettled([...this.#bringing])
  }

  #invite(event) {
    event.preventDefault()
    this.#room.classList.add("dropping")
  }

  #takeFrom(event, given) {
    if (!given?.files.length) return
    event.preventDefault()
    this.#take(given.files)
  }

  #take(files) {
    const space = MOST - this.#tray.childElementCount
    for (const file of [...files].slice(0, space)) this.#bring(file)
    if (files.length > space) this.#form.dispatchEvent(new CustomEvent("complain", { detail: this.#words.mostFiles }))
    this.#input.value = ""
  }

  #bring(file) {
    const item = this.#item(file)
    this.#tray.append(item)
    this.#carry(item, file)
  }

  #carry(item, file) {
    this.#settle()
    const request = new XMLHttpRequest()
    const done = new Promise((finish) => (request.onloadend = finish))
    this.#bringing.add(done)
    item.stop = () => request.abort()
    request.upload.onprogress = ({ loaded, total }) => (item.querySelector("progress").value = loaded / total)
    request.onload = () => this.#brought(item, request, file)
    request.onerror = () => this.#wait(item, file)
    done.then(() => {
      this.#bringing.delete(done)
      this.#settle()
    })
    const fields = new FormData()
    fields.set("_csrf", new FormData(this.#form).get("_csrf"))
    fields.set("file", file, nameOf(file))
    request.open("POST", `/chat/${this.#words.room}/files`)
    request.setRequestHeader("Accept", "application/json")
    request.send(fields)
  }

  #brought(item, request, file) {
    let answer = {}
    try {
      answer = JSON.parse(request.responseText)
    } catch {
      // Some proxy's page about a body too large.
    }
    const isFinal = request.status < 500 && request.status !== 429
    if (request.status !== 201) return this.#fail(item, detailOf(answer) || this.#words.noLine, isFinal ? null : file)
    item.file = answer
    item.classList.add("here")
    item.querySelector("progress").remove()
  }

  // There is no line: it lies here until its message goes out, and that says so.
  #wait(item, file) {
    item.waits = file
    item.classList.add("waits")
    item.querySelector("progress").hidden = true
    item.querySelector(".meta").textContent = this.#words.fileWaits
  }

  // With the file, where another try may change the answer.
  #fail(item, detail, file) {
    item.classList.add("failed")
    const progress = item.querySelector("progress")
    progress.hidden = true
    const note = item.querySelector(".meta")
    note.textContent = `${detail} `
    if (!file) return
    const again = Object.assign(document.createElement("button"), { type: "button", className: "button link again", textContent: this.#words.retry })
    note.append(again)
    again.addEventListener("click", () => {
      item.classList.remove("failed")
      note.textContent = this.#size(file.size)
      Object.assign(progress, { value: 0, hidden: false })
      this.#carry(item, file)
    })
  }

  #item(file) {
    const item = document.createElement("li")
    if (file.type.startsWith("image/")) {
      const picture = Object.assign(document.createElement("img"), { alt: "", width: 56, height: 56, src: URL.createObjectURL(file) })
      picture.onload = () => URL.revokeObjectURL(picture.src)
      item.append(picture)
    }
    const words = Object.assign(document.createElement("span"), { className: "who" })
    words.append(
      Object.assign(document.createElement("b"), { textContent: file.name }),
      Object.assign(document.createElement("span"), { className: "meta", textContent: this.#size(file.size) }),
    )
    const progress = Object.assign(document.createElement("progress"), { max: 1, value: 0, ariaLabel: file.name })
    const out = Object.assign(document.createElement("button"), { type: "button", className: "button quiet icon-only small", ariaLabel: `${this.#words.takeOff} ${file.name}` })
    out.append(this.#form.querySelector(".quoting a svg").cloneNode(true))
    out.addEventListener("click", () => this.#withdraw(item))
    item.append(words, progress, out)
    return item
  }

  // Not wanted after all: stopped on its way, or taken back where it is already.
  #withdraw(item) {
    if (item.file?.key) letGo(item.file.key)
    else if (item.file) {
      const fields = new FormData()
      fields.set("_csrf", new FormData(this.#form).get("_csrf"))
      fetch(`/chat/${this.#words.room}/files/${item.file.id}/delete`, { method: "POST", body: fields, redirect: "manual", keepalive: true }).catch(() => {})
    } else item.stop?.()
    this.#forget(item)
    this.#form.elements.body.focus()
  }

  #forget(item) {
    item.remove()
    this.#settle()
  }

  #settle() {
    this.#tray.hidden = !this.#tray.childElementCount
  }

  #size(bytes) {
    return bytes >= 1 << 20 ? `${(bytes / (1 << 20)).toFixed(1)} MB` : `${Math.ceil(bytes / 1024)} KB`
  }
}

const nameOf = (file) => file.name || "picture.png"
