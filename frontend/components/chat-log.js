// The list of messages in the page: keeps the room's order, never shows one message twice, and says which day it is.
import { ChatMessage, showTime } from "./chat-message.js"
import { changeOf, dayName, dayOf, goesOn } from "./chat-rules.js"

const NEAR_END = 80
// A page that stays open for days keeps what one can scroll back to; the rest is a click away.
const MOST_SHOWN = 600
const LEFT_AFTER_TRIM = 300

export class ChatLog extends EventTarget {
  // Whether the last message shown is the room's last: a page of the past is not.
  isJoined = true
  // In a thread only what answers one of its messages belongs here.
  isThread = false
  #list
  #words
  #message
  #lang = document.documentElement.lang

  constructor(list, blanks, words, me, room) {
    super()
    this.#list = list
    this.#words = words
    this.#message = new ChatMessage(blanks, words, me, room)
    this.#dress()
    this.#stayAtEnd()
  }

  get isAtEnd() {
    return this.#list.scrollHeight - this.#list.scrollTop - this.#list.clientHeight < NEAR_END
  }

  scrollToEnd() {
    this.#list.scrollTop = this.#list.scrollHeight
  }

  // Where reading goes on: the unread line near the top, or the end when all of it is in sight anyway.
  scrollToUnread() {
    this.scrollToEnd()
    const line = this.#list.querySelector(".unread")
    const place = line ? line.offsetTop - this.#list.offsetTop : Infinity
    // By the list alone: the page around it, where there is one, stays where it is.
    if (place < this.#list.scrollTop) this.#list.scrollTop = place
  }

  // One event of the room; true when it is a message that was not here before.
  tell(event) {
    const item = this.byId(event.id)
    const change = changeOf(event)
    if (change.isMessage) return this.#tellMessage(event, item)
    if (change.isLine) this.#tellComing(event)
    if (change.words && item) this.#message.fill(item, event)
    if (change.marks && item) this.#message.mark(item, event)
    if (change.isGone && item) this.#message.empty(item)
    if (change.quote !== undefined)
      for (const quote of this.#list.querySelectorAll(`.quoted[href$="#message-${CSS.escape(event.id)}"]`))
        this.#message.quoteAgain(quote, change.quote)
    return false
  }

  // A message on its way: shown at once, confirmed later.
  showWaiting(message, author) {
    const item = this.byClientId(message.client_id) ?? this.#message.make()
    this.#message.fillWaiting(item, message, author)
    if (!item.isConnected) this.#list.insertBefore(item, this.#end)
    this.#settle(item)
    return item
  }

  // It is said; its place among the others comes with its event.
  confirm(clientId, id) {
    const item = clientId && this.byClientId(clientId)
    if (!item) return
    const known = this.byId(id)
    if (known && known !== item) {
      // It was said just before a reload, and the page came with it.
      this.#remove(item)
      return
    }
    item.classList.remove("waiting", "failed")
    item.querySelector(".after").hidden = true
    if (id) this.#message.name(item, id)
  }

  forget(clientId) {
    const item = this.byClientId(clientId)
    if (item) this.#remove(item)
  }

  drawUnreadLine() {
    if (!this.#list.querySelector(".unread")) this.#insert(line("unread", this.#words.unread))
  }

  // Where two talk alone: the other one has read up to here. It stands below what one said last.
  markSeen(seq, words) {
    const last = [...this.#list.querySelectorAll(".message.me[data-seq]:not([data-pending]):not(:has(.gone))")].at(-1)
    const isSeen = last && this.isJoined && !this.isThread && Number(last.dataset.seq) <= seq
    const marks = [...this.#list.querySelectorAll(".seen")]
    if (isSeen && marks.length === 1 && marks[0].parentElement === last) return
    for (const mark of marks) mark.remove()
    if (isSeen) last.append(Object.assign(document.createElement("span"), { className: "seen meta", textContent: words }))
  }

  eraseUnreadLine() {
    const drawn = this.#list.querySelector(".unread")
    const after = drawn?.nextElementSibling
    drawn?.remove()
    if (after) this.#settle(after)
  }

  // Another stretch of the room, as the server's own list; what is on its way stays.
  replaceWith(list) {
    const waiting = [...this.#list.querySelectorAll("[data-pending]")]
    this.#list.replaceChildren(...list.children)
    for (const item of waiting) this.#list.insertBefore(item, this.#end)
    this.#dress()
  }

  // Earlier messages above what is shown, which stays where it is on the screen.
  prepend(list) {
    const anchor = this.#list.querySelector("[data-at]")
    const stood = anchor?.getBoundingClientRect().top
    this.#list.querySelector(".older")?.remove()
    const first = this.#list.firstElementChild
    for (const item of this.#strangers(list, ".newer")) this.#list.insertBefore(item, first)
    this.#dress()
    if (anchor) this.#list.scrollTop += anchor.getBoundingClientRect().top - stood
  }

  // Later messages below, when the page shows the past.
  append(list) {
    this.#list.querySelector(".newer")?.remove()
    for (const item of this.#strangers(list, ".older")) this.#insert(item)
    this.#dress()
  }

  lastOwn() {
    return [...this.#list.querySelectorAll(".message.me[data-id]:not([data-pending])")].findLast((item) => item.dataset.body)
  }

  byId(id) {
    return id ? this.#list.querySelector(`[data-id="${CSS.escape(id)}"]`) : null
  }

  byClientId(clientId) {
    return this.#list.querySelector(`[data-client-id="${CSS.escape(clientId)}"]`)
  }

  // When the composer grows, a picture arrives or the window turns, who stood at the end still does.
  #stayAtEnd() {
    // Who came for one message stands there; the browser went to it before anybody listened.
    let stood = !location.hash.startsWith("#message-")
    this.#list.addEventListener("scroll", () => (stood = this.isAtEnd), { passive: true })
    this.#list.addEventListener("load", () => stood && this.scrollToEnd(), { capture: true })
    new ResizeObserver(() => stood && this.scrollToEnd()).observe(this.#list)
  }

  #tellMessage(event, known) {
    const waiting = event.client_id ? this.byClientId(event.client_id) : null
    const belongs = this.isThread ? this.byId(event.reply_to?.id) : this.isJoined
    if (!known && !waiting && !belongs) return !this.isThread
    this.#list.querySelector(".nothing")?.remove()
    if (known && waiting && waiting !== known) this.#remove(waiting)
    const item = known ?? waiting ?? this.#message.make()
    const wasPending = item.dataset.pending !== undefined
    delete item.dataset.pending
    this.confirm(event.client_id)
    this.#message.name(item, event.id)
    if (event.client_id) item.dataset.clientId = event.client_id
    this.#message.fill(item, event)
    if (event.gone) this.#message.empty(item)
    if (known && !wasPending) return false
    const isNew = !item.isConnected
    if (isNew || this.#standsAfterPending(item)) this.#insert(item)
    this.#settle(item)
    this.#settle(item.nextElementSibling)
    if (isNew) this.#trim()
    return isNew
  }

  #tellComing(event) {
    if (!this.isJoined || this.isThread) return
    const left = event.data?.what ? "putOut" : "left"
    const words = this.#words[event.kind === "join" ? "joined" : left].replace("{name}", event.author.name)
    const item = line("event", words)
    item.dataset.at = event.at
    item.dataset.seq = event.seq
    this.#insert(item)
    this.#settle(item)
  }

  // What has its place in the room's order stands before what has none yet.
  #insert(item) {
    const waiting = this.#list.querySelector("[data-pending]")
    const before = waiting?.previousElementSibling?.matches(".day") ? waiting.previousElementSibling : waiting
    this.#list.insertBefore(item, before ?? this.#end)
  }

  #standsAfterPending(item) {
    const waiting = this.#list.querySelector("[data-pending]")
    return waiting && waiting.compareDocumentPosition(item) & Node.DOCUMENT_POSITION_FOLLOWING
  }

  #remove(item) {
    const after = item.nextElementSibling
    item.remove()
    if (after) this.#settle(after)
  }

  // The items of another page that are not here yet, without what belongs to a page rather than to the room.
  #strangers(list, way) {
    return [...list.children].filter(
      (item) => !item.matches(`.latest, .unread, .nothing, ${way}`) && !(item.dataset.seq && this.#bySeq(item.dataset.seq)),
    )
  }

  #bySeq(seq) {
    return this.#list.querySelector(`[data-seq="${CSS.escape(seq)}"]`)
  }

  // Times and days as this person's clock and language have them.
  #dress() {
    for (const time of this.#list.querySelectorAll(".by time[datetime]")) showTime(time)
    for (const item of this.#list.querySelectorAll(".day")) item.remove()
    for (const item of this.#list.querySelectorAll(":scope > [data-at]")) this.#settle(item)
  }

  // The day line before an item, and whether it goes on where the one before it stopped.
  #settle(item) {
    if (!item?.dataset.at) {
      if (item?.matches(".day") && !item.nextElementSibling?.dataset.at) item.remove()
      return
    }
    let before = item.previousElementSibling
    const drawn = before?.matches(".day") ? before : null
    if (drawn) before = drawn.previousElementSibling
    let earlier = before
    while (earlier && !earlier.dataset.at) earlier = earlier.previousElementSibling
    if (earlier && dayOf(earlier.dataset.at) === dayOf(item.dataset.at)) drawn?.remove()
    else if (!drawn) this.#list.insertBefore(line("day", dayName(item.dataset.at, this.#lang)), item)
    item.classList.toggle("same", Boolean(before?.matches(".message") && item.matches(".message") && goesOn(before.dataset, item.dataset)))
  }

  #trim() {
    if (this.#list.childElementCount < MOST_SHOWN || !this.isAtEnd) return
    const shown = [...this.#list.querySelectorAll("[data-seq]")]
    const first = shown.at(-LEFT_AFTER_TRIM)
    while (this.#list.firstElementChild !== first) this.#list.firstElementChild.remove()
    this.#settle(first)
    this.dispatchEvent(new CustomEvent("trimmed", { detail: first.dataset.seq }))
  }

  get #end() {
    return this.#list.querySelector(".newer") ?? this.#list.querySelector(".latest")
  }
}

export function line(kind, text) {
  const item = document.createElement("li")
  item.className = kind
  item.textContent = text
  return item
}
