// Scrolling through the past: the page's own links to earlier and later messages, followed when they come into sight.
// Without scripts, or when a fetch fails, they are links.

export class ChatHistory extends EventTarget {
  #log
  #list
  #watch
  #asked = null

  constructor(log, list) {
    super()
    this.#log = log
    this.#list = list
    this.#watch = new IntersectionObserver((seen) => seen.some((one) => one.isIntersecting) && this.#follow(), {
      root: list,
      rootMargin: "600px 0px",
    })
    list.addEventListener("click", (event) => this.#clicked(event))
    log.addEventListener("trimmed", ({ detail }) => this.#linkTo(detail))
    this.#look()
  }

  // The stretch of the room that another address shows, in place of this one; false when it could not be had.
  async jump(address) {
    const page = await this.#fetch(address)
    if (!page) return false
    const ids = idsOf(page)
    this.#log.replaceWith(page.querySelector(".log"))
    this.#arrive(page, ids, { isWhole: true, reachesEnd: page.dataset.past === undefined })
    this.#look()
    return true
  }

  #clicked(event) {
    const link = event.target.closest(".older a, .newer a")
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return
    event.preventDefault()
    this.#follow(link)
  }

  async #follow(link = this.#linkInSight()) {
    if (!link || this.#asked) return
    const isOlder = link.closest(".older") !== null
    const page = await this.#fetch(link.href)
    if (!page) return
    const [list, ids] = [page.querySelector(".log"), idsOf(page)]
    const reachesEnd = !isOlder && !list.querySelector(".newer")
    if (isOlder) this.#log.prepend(list)
    else this.#log.append(list)
    this.#arrive(page, ids, { isWhole: false, reachesEnd: reachesEnd || this.#log.isJoined })
    this.#look()
  }

  #linkInSight() {
    const { top, bottom } = this.#list.getBoundingClientRect()
    return [...this.#list.querySelectorAll(".older a, .newer a")].find((link) => {
      const place = link.getBoundingClientRect()
      return place.bottom > top - 600 && place.top < bottom + 600
    })
  }

  async #fetch(address) {
    if (this.#asked) return null
    this.#list.setAttribute("aria-busy", "true")
    try {
      this.#asked = fetch(address, { headers: { "X-Requested-With": "chat-room" } })
      const answer = await this.#asked
      // A permalink leads to its place in the room; anything else it leads to (signing in) is not for us to show.
      if (!answer.ok || new URL(answer.url).pathname !== location.pathname) return null
      return new DOMParser().parseFromString(await answer.text(), "text/html").querySelector("chat-room")
    } catch {
      return null
    } finally {
      this.#asked = null
      this.#list.removeAttribute("aria-busy")
    }
  }

  // What happened since that page was made is told again on top of it.
  #arrive(page, ids, { isWhole, reachesEnd }) {
    const isNewlyJoined = reachesEnd && !this.#log.isJoined
    this.#log.isJoined = reachesEnd
    const { seq, epoch } = page.dataset
    this.dispatchEvent(new CustomEvent("arrived", { detail: { seq: Number(seq), epoch, ids, isWhole, reachesEnd: isNewlyJoined } }))
  }

  #look() {
    this.#watch.disconnect()
    for (const item of this.#list.querySelectorAll(".older, .newer")) this.#watch.observe(item)
  }

  // The log let go of its oldest messages: here they are again.
  #linkTo(seq) {
    const item = document.createElement("li")
    item.className = "event older"
    const link = Object.assign(document.createElement("a"), {
      className: "button small",
      rel: "prev",
      href: `?before=${seq}#latest`,
      textContent: this.#list.dataset.older,
    })
    item.append(link)
    this.#list.prepend(item)
    this.#look()
  }
}

function idsOf(page) {
  return new Set([...page.querySelectorAll(".log [data-id]")].map((item) => item.dataset.id))
}
