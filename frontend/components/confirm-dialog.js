// <confirm-dialog><form>…</form></confirm-dialog> around any form: asks data-question in a <dialog> before it is sent.
// Without JavaScript the form is sent at once; for what cannot be undone use the ui.confirm macro, which always asks.
class ConfirmDialog extends HTMLElement {
  #sure = false

  connectedCallback() {
    this.addEventListener("submit", (event) => this.#ask(event), true)
  }

  #ask(event) {
    if (this.#sure) {
      this.#sure = false
      return
    }
    event.preventDefault()
    event.stopImmediatePropagation()
    const { form, submitter } = { form: event.target, submitter: event.submitter }
    const dialog = this.#dialog()
    dialog.addEventListener("close", () => {
      dialog.remove()
      if (dialog.returnValue !== "yes") return
      this.#sure = true
      form.requestSubmit(submitter)
    }, { once: true })
    dialog.showModal()
  }

  #dialog() {
    const dialog = document.createElement("dialog")
    const question = document.createElement("p")
    question.textContent = this.dataset.question
    const acts = document.createElement("form")
    acts.method = "dialog"
    acts.className = "acts"
    acts.append(answer(this.dataset.no ?? "No", "no", "button"), answer(this.dataset.yes ?? "Yes", "yes", "button danger main"))
    dialog.append(question, acts)
    document.body.append(dialog)
    return dialog
  }
}

function answer(text, value, kind) {
  const button = document.createElement("button")
  button.textContent = text
  button.value = value
  button.className = kind
  return button
}

customElements.define("confirm-dialog", ConfirmDialog)
