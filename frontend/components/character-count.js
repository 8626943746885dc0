// <character-count for="field-id">: how many characters are left, once it starts to matter.
class CharacterCount extends HTMLElement {
  #field
  #update = () => this.#show()

  connectedCallback() {
    this.#field = document.getElementById(this.getAttribute("for"))
    this.#field?.addEventListener("input", this.#update)
    this.#show()
  }

  disconnectedCallback() {
    this.#field?.removeEventListener("input", this.#update)
  }

  #show() {
    const most = this.#field?.maxLength ?? -1
    if (most < 0) return
    const left = most - this.#field.value.length
    this.textContent = left < most / 2 ? String(left) : ""
    this.toggleAttribute("data-near", left < most / 10)
    this.toggleAttribute("data-over", left <= 0)
  }
}

customElements.define("character-count", CharacterCount)
