// <case-queue><article class="case" tabindex="-1">…</article>…</case-queue>
// Through the moderation queue by keyboard: j next case, k previous, r to its reason. Typing is never disturbed.
class CaseQueue extends HTMLElement {
  #onKey = (event) => this.#move(event)

  connectedCallback() {
    document.addEventListener("keydown", this.#onKey)
  }

  disconnectedCallback() {
    document.removeEventListener("keydown", this.#onKey)
  }

  #move(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select")) return
    const cases = [...this.querySelectorAll(".case")]
    const here = cases.findIndex((one) => one.contains(document.activeElement))
    if (event.key === "j") focus(cases[Math.min(here + 1, cases.length - 1)])
    else if (event.key === "k") focus(cases[Math.max(here - 1, 0)])
    else if (event.key === "r") focus(cases[Math.max(here, 0)]?.querySelector("input[name=reason]"))
    else return
    event.preventDefault()
  }
}

function focus(element) {
  element?.focus()
  element?.scrollIntoView({ block: "nearest" })
}

customElements.define("case-queue", CaseQueue)
