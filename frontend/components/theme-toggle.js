// <theme-toggle hidden><button>… <span data-label data-auto data-light data-dark></span></button></theme-toggle>
// Steps through the device's theme, light and dark, and remembers the choice in this browser.
const STEPS = ["auto", "light", "dark"]

class ThemeToggle extends HTMLElement {
  #text

  connectedCallback() {
    this.#text = this.querySelector("[data-label]")
    this.querySelector("button").addEventListener("click", () => this.#step())
    this.hidden = false
    this.#show()
  }

  get #theme() {
    return document.documentElement.dataset.theme ?? "auto"
  }

  #step() {
    const next = STEPS[(STEPS.indexOf(this.#theme) + 1) % STEPS.length]
    if (next === "auto") delete document.documentElement.dataset.theme
    else document.documentElement.dataset.theme = next
    try {
      localStorage.setItem("theme", next)
    } catch {
      // Not remembered then, but shown.
    }
    this.#show()
  }

  #show() {
    const { label, [this.#theme]: name } = this.#text.dataset
    this.#text.textContent = `${label}: ${name}`
  }
}

customElements.define("theme-toggle", ThemeToggle)
