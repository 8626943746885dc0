// What every widget shares: it shows the plain link inside it until its data is there, and keeps it when that fails.
import style from "./style.css"
import { wordsFor } from "./words.js"

export const home = new URL(import.meta.url).origin
const asked = new Map()
let sheet

export class Widget extends HTMLElement {
  static observedAttributes = ["store", "product", "lang", "limit", "token"]
  #round = 0

  constructor() {
    super()
    sheet ??= new CSSStyleSheet()
    if (!sheet.cssRules.length) sheet.replaceSync(style)
    this.attachShadow({ mode: "open" }).adoptedStyleSheets = [sheet]
    this.shadowRoot.append(document.createElement("slot"))
  }

  ask() { return load(this.getAttribute("store"), this.getAttribute("product"), this.limit) }

  connectedCallback() { this.#show() }
  attributeChangedCallback(name, before, now) { if (this.isConnected && before !== now) this.#show() }

  async #show() {
    const round = ++this.#round
    try {
      const product = await this.ask()
      if (round !== this.#round) return
      this.words = wordsFor(this.closest("[lang]")?.lang || navigator.language)
      this.shadowRoot.replaceChildren(...this.content(product))
      this.#tell("gv:ready", { rating: product.rating, count: product.count })
    } catch (error) {
      if (round !== this.#round) return
      this.shadowRoot.replaceChildren(document.createElement("slot"))
      this.#tell("gv:error", { reason: error.message })
    }
  }

  #tell(name, detail) { this.dispatchEvent(new CustomEvent(name, { detail, bubbles: true, composed: true })) }
}

// <gv-rating> twenty times on a page asks once for each product.
function load(store, product, limit) {
  const url = `${home}/embed/v1/products/${encodeURIComponent(store)}/${encodeURIComponent(product)}?limit=${limit}`
  if (!asked.has(url)) asked.set(url, read(url).catch((error) => { asked.delete(url); throw error }))
  return asked.get(url)
}

export async function read(url, more) {
  const answer = await fetch(url, { credentials: "omit", ...more })
  if (!answer.ok) throw new Error(`answered ${answer.status}`)
  return answer.json()
}

// An element with a ::part, attributes and children. Text is only ever text: nothing of a review is parsed as HTML.
export function el(tag, part, attributes, ...children) {
  const made = document.createElement(tag)
  if (part) made.setAttribute("part", made.className = part)
  for (const [name, value] of Object.entries(attributes || {})) if (value) made.setAttribute(name, value)
  made.append(...children.filter((child) => child !== null && child !== ""))
  return made
}

export function link(part, href, text) {
  return el("a", part, { href, target: "_blank", rel: "noopener" }, text)
}

// Three joined dots, drawn: a shop's page need not have our pictures.
export function icon() {
  const made = document.createElementNS("http://www.w3.org/2000/svg", "svg")
  made.setAttribute("viewBox", "0 0 24 24")
  made.setAttribute("aria-hidden", "true")
  const line = document.createElementNS("http://www.w3.org/2000/svg", "path")
  line.setAttribute("d", "M8 11l8-4.5M8 13l8 4.5M6 15a3 3 0 110-6 3 3 0 010 6zM18 8a3 3 0 110-6 3 3 0 010 6zM18 22a3 3 0 110-6 3 3 0 010 6z")
  made.append(line)
  return made
}

export function stars(rating, label) {
  const made = el("span", "stars", { role: "img", "aria-label": label })
  made.style.setProperty("--of", `${(rating / 5) * 100}%`)
  return made
}
