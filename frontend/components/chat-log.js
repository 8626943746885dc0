// The list of messages in the page: fills the server's own markup, keeps order, never shows one message twice.
const SAME_SECONDS = 300

export class ChatLog {
  #list
  #blank
  #words
  #member
  #room

  constructor(list, blank, words, member, room) {
    this.#list = list
    this.#blank = blank.content.querySelector("li")
    this.#words = words
    this.#member = member
    this.#room = room
    for (const time of list.querySelectorAll("time[datetime]")) showTime(time)
    this.#stayAtEnd()
  }

  get isAtEnd() {
    return this.#list.scrollHeight - this.#list.scrollTop - this.#list.clientHeight < 80
  }

  scrollToEnd() {
    this.#list.scrollTop = this.#list.scrollHeight
  }

  // One event of the room; true when it is a message that was not here before.
  tell(event) {
    if (event.kind === "message") return this.#tellMessage(event)
    const item = this.#byId(event.id)
    if (event.kind === "edit" && item) this.#fill(item, event)
    else if (event.kind === "delete" && item) this.#empty(item)
    else if (event.kind === "join" || event.kind === "leave") this.#tellComing(event)
    return false
  }

  // A message on its way: shown at once, confirmed later.
  showWaiting(message, author) {
    const item = this.#byClientId(message.client_id) ?? this.#blank.cloneNode(true)
    item.dataset.clientId = message.client_id
    item.dataset.pending = ""
    this.#fill(item, { author, at: new Date(message.at).toISOString() })
    const words = document.createElement("p")
    words.textContent = message.body
    item.querySelector(".bubble").replaceChildren(words)
    item.querySelector(".more")?.remove()
    item.classList.toggle("failed", Boolean(message.failed))
    item.classList.toggle("waiting", !message.failed)
    if (!item.isConnected) this.#list.insertBefore(item, this.#end)
    return item
  }

  // It is said; its place among the others comes with its event.
  confirm(clientId, id) {
    const item = clientId && this.#byClientId(clientId)
    if (!item) return
    const known = this.#byId(id)
    if (known && known !== item) {
      // It was said just before a reload, and the page came with it.
      item.remove()
      return
    }
    item.classList.remove("waiting", "failed")
    item.querySelector(".after").hidden = true
    if (id) this.#name(item, id)
  }

  forget(clientId) {
    this.#byClientId(clientId)?.remove()
  }

  drawUnreadLine() {
    if (this.#list.querySelector(".unread")) return
    this.#insert(line("unread", this.#words.unread))
  }

  eraseUnreadLine() {
    this.#list.querySelector(".unread")?.remove()
  }

  replaceWith(list) {
    const waiting = [...this.#list.querySelectorAll("[data-pending]")]
    this.#list.replaceChildren(...list.children)
    for (const item of waiting) this.#list.insertBefore(item, this.#end)
    for (const time of this.#list.querySelectorAll("time[datetime]")) showTime(time)
  }

  // When the composer grows or the window turns, who stood at the end still does.
  #stayAtEnd() {
    let stood = true
    this.#list.addEventListener("scroll", () => (stood = this.isAtEnd), { passive: true })
    new ResizeObserver(() => stood && this.scrollToEnd()).observe(this.#list)
  }

  #tellMessage(event) {
    this.#list.querySelector(".nothing")?.remove()
    const known = this.#byId(event.id)
    const waiting = event.client_id ? this.#byClientId(event.client_id) : null
    if (known && waiting && waiting !== known) waiting.remove()
    const item = known ?? waiting ?? this.#blank.cloneNode(true)
    const wasPending = item.dataset.pending !== undefined
    delete item.dataset.pending
    this.confirm(event.client_id)
    this.#name(item, event.id)
    if (event.client_id) item.dataset.clientId = event.client_id
    this.#fill(item, event)
    if (event.gone) this.#empty(item)
    if (known && !wasPending) return false
    const isNew = !item.isConnected
    if (isNew || this.#standsAfterPending(item)) this.#insert(item)
    item.classList.toggle("same", this.#followsItsAuthor(item))
    return isNew
  }

  #tellComing(event) {
    this.#insert(line("event", this.#words[event.kind === "join" ? "joined" : "left"].replace("{name}", event.author.name)))
  }

  #fill(item, event) {
    const { author } = event
    const isMine = author && author.id === this.#member
    if (author && event.kind !== "edit") {
      item.dataset.author = author.id
      item.classList.toggle("me", isMine)
      fillFace(item.querySelector(".face"), author)
      const by = item.querySelector(".by a")
      by.textContent = author.name || author.handle
      by.href = `/@${author.handle}`
      item.querySelector(isMine ? ".report" : ".change")?.remove()
      const take = isMine ? null : item.querySelector(".take")
      if (take && this.#words.moderates) take.querySelector("button").lastChild.textContent = this.#words.delete
      else take?.remove()
      showTime(item.querySelector("time"), event.at)
    }
    item.querySelector(".edited").hidden = !event.edited
    if (event.html === undefined) return
    const quote = item.querySelector(".quoted") ?? this.#blank.querySelector(".quoted").cloneNode(true)
    const bubble = item.querySelector(".bubble")
    bubble.classList.remove("gone")
    if (item.dataset.id) this.#name(item, item.dataset.id)
    // Rendered and cleaned by the server, like the rest of the page.
    bubble.innerHTML = event.html
    if (event.reply_to) {
      quote.href = `#message-${event.reply_to.id}`
      quote.querySelector("b").textContent = event.reply_to.name
      quote.querySelector("span").textContent = event.reply_to.text
      bubble.prepend(quote)
    }
  }

  #empty(item) {
    const bubble = item.querySelector(".bubble")
    bubble.classList.add("gone")
    bubble.textContent = this.#words.gone
    item.querySelector(".more")?.remove()
  }

  #name(item, id) {
    item.id = `message-${id}`
    item.dataset.id = id
    if (!item.querySelector(".more")) {
      const more = this.#blank.querySelector(".more")
      if (more) item.querySelector(".words").append(more.cloneNode(true))
    }
    for (const [part, name] of [[".reply", "reply"], [".change", "edit"]]) {
      const link = item.querySelector(part)
      if (link) link.href = `?${name}=${id}#say`
    }
    item.querySelector(".report")?.setAttribute("href", `/report?subject=message:${id}`)
    item.querySelector(".take")?.setAttribute("action", `/chat/${this.#room}/messages/${id}/delete`)
  }

  // What has its place in the room's order stands before what has none yet.
  #insert(item) {
    this.#list.insertBefore(item, this.#list.querySelector("[data-pending]") ?? this.#end)
  }

  #standsAfterPending(item) {
    const waiting = this.#list.querySelector("[data-pending]")
    return waiting && waiting.compareDocumentPosition(item) & Node.DOCUMENT_POSITION_FOLLOWING
  }

  #followsItsAuthor(item) {
    const before = item.previousElementSibling
    if (!before?.matches(".message") || before.dataset.author !== item.dataset.author) return false
    const [earlier, later] = [before, item].map((one) => Date.parse(one.querySelector("time").dateTime))
    return later - earlier < SAME_SECONDS * 1000
  }

  get #end() {
    return this.#list.querySelector(".latest")
  }

  #byId(id) {
    return id ? this.#list.querySelector(`[data-id="${CSS.escape(id)}"]`) : null
  }

  #byClientId(clientId) {
    return this.#list.querySelector(`[data-client-id="${CSS.escape(clientId)}"]`)
  }
}

function line(kind, text) {
  const item = document.createElement("li")
  item.className = kind
  item.textContent = text
  return item
}

// As parts/ui.html draws a face: a picture, or two letters of a Latin name and one sign of a Chinese one.
function fillFace(face, author) {
  const name = (author.name || author.handle || "?").trim()
  const words = name.split(/\s+/)
  face.className = `face hue-${(Number(author.id) * 5) % 12}`
  if (author.handle) face.href = `/@${author.handle}`
  if (author.avatar_url) {
    const picture = Object.assign(document.createElement("img"), { src: author.avatar_url, alt: "", width: 128, height: 128 })
    face.replaceChildren(picture)
  } else if (name[0] > "⺀") face.textContent = name[0]
  else face.textContent = (words.length > 1 ? words[0][0] + words.at(-1)[0] : name.slice(0, 2)).toUpperCase()
}

function showTime(time, at = time.dateTime) {
  const moment = new Date(at)
  time.dateTime = at
  time.title = moment.toLocaleString(document.documentElement.lang)
  time.textContent = moment.toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit" })
}
