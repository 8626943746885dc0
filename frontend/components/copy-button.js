// <copy-button><input readonly> (or a textarea) <button hidden data-done="Copied">…<span>Copy</span></button></copy-button>
class CopyButton extends HTMLElement {
  #field
  #button
  #back

  connectedCallback() {
    this.#field = this.querySelector("input, textarea")
    this.#button = this.querySelector("button")
    this.#button.hidden = false
    this.#button.addEventListener("click", () => this.#copy())
  }

  disconnectedCallback() {
    clearTimeout(this.#back)
  }

  async #copy() {
    this.#field.select()
    try {
      await navigator.clipboard.writeText(this.#field.value)
    } catch {
      // No clipboard on plain http: the text stays selected, and the old way still works in most browsers.
      if (!document.execCommand("copy")) return
    }
    const words = this.#button.querySelector("span")
    const usual = words.dataset.usual ?? words.textContent
    words.dataset.usual = usual
    words.textContent = this.#button.dataset.done
    clearTimeout(this.#back)
    this.#back = setTimeout(() => { words.textContent = usual }, 2000)
  }
}

customElements.define("copy-button", CopyButton)
