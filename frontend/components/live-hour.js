// <live-hour> tells an hour in the reader's own time, and how long it is until then. The server wrote it in UTC.
// Around a form's field it lets the writer type their own time, and tells the server how far that is from UTC.
const lang = document.documentElement.lang
const local = new Intl.DateTimeFormat(lang, { weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit" })
const until = new Intl.RelativeTimeFormat(lang, { numeric: "always" })
const UNITS = [["day", 86_400], ["hour", 3600], ["minute", 60], ["second", 1]]

class LiveHour extends HTMLElement {
  #timer

  connectedCallback() {
    const input = this.querySelector("input[type=datetime-local]")
    if (input) return this.#take(input)
    this.#tell()
  }

  disconnectedCallback() {
    clearTimeout(this.#timer)
  }

  #tell() {
    const time = this.querySelector("time")
    const at = Date.parse(time.dateTime)
    const left = Math.round((at - Date.now()) / 1000)
    time.title = time.title || time.textContent
    time.textContent = local.format(at)
    if (left <= 0) return
    const [unit, size] = UNITS.find(([, size]) => left >= 2 * size) ?? UNITS.at(-1)
    time.textContent += ` · ${until.format(Math.round(left / size), unit)}`
    this.#timer = setTimeout(() => this.#tell(), left < 120 ? 1000 : 30_000)
  }

  #take(input) {
    const zone = this.querySelector("input[name=zone]")
    const help = this.querySelector(".help")
    if (input.value && zone.value === "") input.value = wall(new Date(`${input.value}Z`))
    const note = () => (zone.value = input.value ? -new Date(input.value).getTimezoneOffset() : "")
    if (help) help.textContent = zone.dataset.own
    input.addEventListener("input", note)
    note()
  }
}

function wall(date) {
  return new Date(date - date.getTimezoneOffset() * 60_000).toISOString().slice(0, 16)
}

customElements.define("live-hour", LiveHour)
