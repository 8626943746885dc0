// What hangs on a message: signs, files, cards. The server's own markup, filled; always the whole of what stands now.
const KB = 1024

export class ChatParts {
  #blanks
  #words
  #me
  #room
  #lang = document.documentElement.lang

  constructor(blanks, words, me, room) {
    this.#blanks = blanks.content
    this.#words = words
    this.#me = me
    this.#room = room
  }

  hang(item, { id, reactions = [], files = [], cards = [], pinned = false }) {
    const bubble = item.querySelector(".bubble")
    this.#put(bubble, ".files", files.length && this.#files(files))
    this.#put(bubble, ".cards", cards.length && this.#cards(cards, item, id))
    this.#put(item, ".reactions", reactions.length && this.#signs(reactions, id), item.querySelector(".after"))
    this.pin(item, pinned)
  }

  bare(item) {
    for (const part of item.querySelectorAll(".files, .cards, .reactions")) part.remove()
    item.classList.remove("pinned")
  }

  pin(item, isPinned) {
    item.classList.toggle("pinned", isPinned)
    const form = item.querySelector("form.pin")
    if (!form) return
    // Not its `action`: in a template, which has no address of its own, that is empty.
    const door = form.getAttribute("action").replace(/\/end$/, "")
    form.setAttribute("action", isPinned ? `${door}/end` : door)
    form.querySelector(".on").hidden = isPinned
    form.querySelector(".off").hidden = !isPinned
  }

  #put(place, kind, made, before = null) {
    const old = place.querySelector(`:scope > ${kind}`)
    if (!made) old?.remove()
    else if (old) old.replaceWith(made)
    else place.insertBefore(made, before)
  }

  #signs(reactions, id) {
    const form = this.#clone("form.reactions")
    const blank = form.querySelector("button")
    const door = `/chat/${this.#room}/messages/${id}/reactions`
    form.setAttribute("action", door)
    for (const { emoji, n, by } of reactions) {
      const button = blank.cloneNode(true)
      const isMine = by.includes(this.#me)
      button.value = emoji
      button.dataset.by = by.join(" ")
      button.firstChild.textContent = `${emoji} `
      button.querySelector("span").textContent = n
      button.ariaPressed = String(isMine)
      if (isMine) button.setAttribute("formaction", `${door}/end`)
      else button.removeAttribute("formaction")
      form.append(button)
    }
    blank.remove()
    return form
  }

  #files(files) {
    const list = document.createElement("ul")
    list.className = "files"
    for (const file of files) {
      const item = document.createElement("li")
      const link = this.#clone(file.kind === "picture" ? ".picture" : ".paper")
      link.href = file.url
      if (file.kind === "picture") {
        const { width, height, small_url: small, url, name } = file
        Object.assign(link.firstElementChild, { width: width || 640, height: height || 480, alt: name, src: small || url })
      } else {
        link.querySelector("b").textContent = file.name
        link.querySelector("b + span").textContent = this.size(file.bytes)
      }
      item.append(link)
      list.append(item)
    }
    return list
  }

  #cards(cards, item, id) {
    const list = document.createElement("div")
    list.className = "cards"
    for (const card of cards) {
      // What earns has its label in the markup of the server; nothing here could forget it.
      const made = this.#clone(card.earns ? ".earns" : ".product:not(.earns)")
      made.className = `product line small ${card.kind}${card.gone ? " gone" : ""}`
      const link = made.querySelector(".name")
      link.href = card.url
      link.textContent = card.title || card.url
      const picture = made.querySelector("img")
      if (card.picture) picture.src = card.picture
      else picture.closest(".thumb").remove()
      this.#tell(made, ".text", card.text)
      this.#tell(made, ".facts", this.#facts(card))
      const remove = made.querySelector("form")
      if (item.classList.contains("me") || this.#words.moderates) remove.setAttribute("action", `/chat/${this.#room}/messages/${id}/cards/${card.id}/delete`)
      else remove.remove()
      list.append(made)
    }
    return list
  }

  #facts({ price, gone, stock, rating, review_count: reviews, site }) {
    const { unsold, soldOut, leftInStock: left } = this.#words
    const supply = gone ? unsold : stock === null || stock === undefined || stock > 5 ? "" : stock > 0 ? left.replace("{n}", stock) : soldOut
    const stars = rating ? `★ ${rating.toFixed(1)}${reviews ? ` (${reviews})` : ""}` : ""
    return [price && this.#money(price), supply, stars, site].filter(Boolean).join(" · ")
  }

  #money({ amount, currency }) {
    const format = new Intl.NumberFormat(this.#lang, { style: "currency", currency })
    return format.format(amount / 10 ** format.resolvedOptions().maximumFractionDigits)
  }

  size(bytes) {
    return bytes >= KB * KB ? `${(bytes / KB / KB).toFixed(1)} MB` : `${Math.ceil(bytes / KB)} KB`
  }

  #tell(made, part, text) {
    const place = made.querySelector(part)
    if (text) place.textContent = text
    else place.remove()
  }

  #clone(kind) {
    return this.#blanks.querySelector(kind).cloneNode(true)
  }
}
