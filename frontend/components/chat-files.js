// Pictures and files on their way into a message: chosen, pasted or dropped, brought in one by one while one writes on,
// each with its progress and a way out. Without scripts the form itself brings them.
import { detailOf } from "./chat-door.js"

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

  // What was brought in, for the message that is being sent now; the tray is empty then.
  hand() {
    const files = [...this.#tray.children].flatMap((item) => (item.file ? [item.file] : []))
    for (const item of [...this.#tray.children]) if (item.file) this.#forget(item)
    return files
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
    this.#settle()
    const request = new XMLHttpRequest()
    const done = new Promise((finish) => (request.onloadend = finish))
    this.#bringing.add(done)
    item.stop = () => request.abort()
    request.upload.onprogress = ({ loaded, total }) => (item.querySelector("progress").value = loaded / total)
    request.onload = () => this.#brought(item, request)
    request.onerror = () => this.#fail(item, this.#words.noLine)
    done.then(() => {
      this.#bringing.delete(done)
      this.#settle()
    })
    const fields = new FormData()
    fields.set("_csrf", new FormData(this.#form).get("_csrf"))
    fields.set("file", file, file.name || "picture.png")
    request.open("POST", `/chat/${this.#words.room}/files`)
    request.setRequestHeader("Accept", "application/json")
    request.send(fields)
  }

  #brought(item, request) {
    let answer = {}
    try {
      answer = JSON.parse(request.responseText)
    } catch {
      // Some proxy's page about a body too large.
    }
    if (request.status !== 201) return this.#fail(item, detailOf(answer) || this.#words.noLine)
    item.file = answer
    item.classList.add("here")
    item.querySelector("progress").remove()
  }

  #fail(item, detail) {
    item.classList.add("failed")
    item.querySelector("progress")?.remove()
    item.querySelector(".meta").textContent = detail
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
    if (item.file) {
      const fields = new FormData()
      fields.set("_csrf", new FormData(this.#form).get("_csrf"))
      fetch(`/chat/${this.#words.room}/files/${item.file.id}/delete`, { method: "POST", body: fields, redirect: "manual", keepalive: true }).catch(() => {})
    } else item.stop()
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
