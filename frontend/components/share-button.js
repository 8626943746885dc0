// <share-button hidden data-text data-picture data-name><button>…</button></share-button>
// The phone's own way to share, picture and text at once; where it has none, the button stays hidden.
class ShareButton extends HTMLElement {
  #file

  connectedCallback() {
    if (!navigator.canShare?.({ files: [new File([], "a.png", { type: "image/png" })] })) return
    this.hidden = false
    this.querySelector("button").addEventListener("click", () => this.#share())
    // Fetched when the finger comes near: the share sheet opens only within a moment of the press.
    this.addEventListener("pointerenter", () => this.#picture(), { once: true })
  }

  async #share() {
    const files = await this.#picture()
    try {
      await navigator.share(files ? { files, text: this.dataset.text } : { text: this.dataset.text })
    } catch (error) {
      // The sheet was closed, or the picture came too late for this press: the next one has it.
      if (error.name !== "AbortError" && error.name !== "NotAllowedError") throw error
    }
  }

  #picture() {
    this.#file ??= this.#fetch()
    return this.#file
  }

  async #fetch() {
    try {
      const answer = await fetch(this.dataset.picture)
      if (!answer.ok) return null
      const picture = await answer.blob()
      return [new File([picture], this.dataset.name, { type: picture.type })]
    } catch {
      this.#file = undefined
      return null
    }
  }
}

customElements.define("share-button", ShareButton)
