// One message in the log: the server's own markup, filled from an event.
import { ChatParts } from "./chat-parts.js"

export class ChatMessage {
  #blank
  #words
  #me
  #parts

  constructor(blanks, words, me, room) {
    this.#blank = blanks.message.content.querySelector("li")
    this.#words = words
    this.#me = me
    this.#parts = new ChatParts(blanks.parts, words, me, room)
  }

  make() {
    return this.#blank.cloneNode(true)
  }

  // On its way: the words as they were typed.
  fillWaiting(item, message, author) {
    item.dataset.clientId = message.client_id
    item.dataset.pending = ""
    this.fill(item, { author, at: new Date(message.at).toISOString() })
    const words = document.createElement("p")
    words.textContent = message.body
    item.querySelector(".bubble").replaceChildren(...(message.quote ? [this.#quote(message.quote)] : []), ...(message.body ? [words] : []))
    if (message.files) this.#parts.hang(item, { files: message.files })
    item.querySelector(".more")?.remove()
    item.classList.toggle("failed", Boolean(message.failed))
    item.classList.toggle("waiting", !message.failed)
  }

  fill(item, event) {
    if (event.author && event.kind !== "edit") this.#sign(item, event)
    for (const part of item.querySelectorAll(".edited, .versions")) part.hidden = !event.edited
    if (!event.kind) return
    const bubble = item.querySelector(".bubble")
    bubble.classList.remove("gone")
    if (item.dataset.id) this.name(item, item.dataset.id)
    // Rendered and cleaned by the server, like the rest of the page.
    bubble.innerHTML = event.html ?? ""
    if (event.reply_to) bubble.prepend(this.#quote(event.reply_to))
    if (item.classList.contains("me")) item.dataset.body = event.body ?? ""
    this.mark(item, event)
  }

  // Signs, files, cards and the pin: an event about a message tells all of them as they stand.
  mark(item, event) {
    this.#parts.hang(item, event)
    for (const who of item.querySelectorAll("a.reacted")) who.hidden = !event.reactions?.length
  }

  // What answers a message quotes it as it stands.
  quoteAgain(quote, text) {
    if (quote.dataset.folded === undefined) quote.querySelector("span").textContent = text
  }

  empty(item) {
    const bubble = item.querySelector(".bubble")
    bubble.classList.add("gone")
    bubble.textContent = this.#words.gone
    item.querySelector(".more")?.remove()
    item.querySelector(".answers").hidden = true
    delete item.dataset.body
    this.#parts.bare(item)
  }

  name(item, id) {
    item.id = `message-${id}`
    item.dataset.id = id
    if (!item.querySelector(".more")) {
      const more = this.#blank.querySelector(".more")
      if (more) item.querySelector(".words").append(more.cloneNode(true))
      this.#suit(item)
    }
    // The server wrote each address with the number left out.
    for (const part of item.querySelectorAll("[href], form[action]"))
      for (const name of ["href", "action"]) {
        const address = part.getAttribute(name)
        if (address?.includes("/messages/0")) part.setAttribute(name, address.replace("/messages/0", `/messages/${id}`))
        else if (/[=:]0(#say)?$/.test(address)) part.setAttribute(name, address.replace(/0(#say)?$/, `${id}$1`))
      }
  }

  #sign(item, { author, at, seq }) {
    item.dataset.author = author.id
    item.dataset.at = at
    if (seq) item.dataset.seq = seq
    item.classList.toggle("me", author.id === this.#me)
    // Somebody the reader blocked: folded until they ask for it.
    if (this.#isUnwanted(author.id)) {
      item.classList.add("unwanted")
      item.tabIndex = 0
      item.dataset.unwanted = this.#words.unwantedWords
    }
    fillFace(item.querySelector(".face"), author)
    const by = item.querySelector(".by a")
    by.textContent = author.name || author.handle
    if (author.bot) by.removeAttribute("href")
    else by.href = `/@${author.handle}`
    item.querySelector(".by .bot").hidden = !author.bot
    this.#suit(item)
    showTime(item.querySelector(".by time"), at)
  }

  // What one may do with it depends on whose it is.
  #suit(item) {
    const isMine = item.classList.contains("me")
    for (const part of item.querySelectorAll(isMine ? ".not-mine" : ".mine")) part.remove()
  }

  #isUnwanted(id) {
    return !this.#words.partner && Boolean(id) && this.#words.blocked?.split(" ").includes(id)
  }

  #quote({ id, name, text, author_id: author }) {
    const quote = this.#blank.querySelector(".quoted").cloneNode(true)
    if (this.#isUnwanted(author)) {
      ;[name, text] = ["", this.#words.unwantedWords]
      quote.dataset.folded = ""
    }
    quote.href = `#message-${id}`
    quote.querySelector("b").textContent = name
    quote.querySelector("span").textContent = text
    return quote
  }
}

// As parts/ui.html draws a face: a picture, or two letters of a Latin name and one sign of a Chinese one.
function fillFace(face, author) {
  const name = (author.name || author.handle || "?").trim()
  const words = name.split(/\s+/)
  face.className = `face hue-${(Number(author.id) * 5) % 12}`
  if (author.handle && !author.bot) face.href = `/@${author.handle}`
  if (author.avatar_url) {
    const picture = Object.assign(document.createElement("img"), { src: author.avatar_url, alt: "", width: 128, height: 128 })
    face.replaceChildren(picture)
  } else if (name[0] > "⺀") face.textContent = name[0]
  else face.textContent = (words.length > 1 ? words[0][0] + words.at(-1)[0] : name.slice(0, 2)).toUpperCase()
}

export function showTime(time, at = time.dateTime) {
  const moment = new Date(at)
  time.dateTime = at
  time.title = moment.toLocaleString(document.documentElement.lang)
  time.textContent = moment.toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" })
}
