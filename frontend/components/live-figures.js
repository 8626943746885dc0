// What a room tells of a live event in figures, filled into the stage as it stands: prices, stock, votes.

export function product(stage, { product: { id, price, stock, available } }) {
  for (const card of stage.querySelectorAll(`[data-product="${id}"]`)) {
    if (price) card.querySelector('[data-part="price"]').textContent = money(price)
    card.querySelector('[data-part="stock"]').replaceChildren(...chip(stage.dataset, stock, available))
    card.classList.add("moved")
    setTimeout(() => card.classList.remove("moved"), 2_000)
  }
}

export function counts(stage, { poll, questions }) {
  for (const [id, votes] of Object.entries(questions ?? {})) {
    const count = stage.querySelector(`[data-question="${id}"] [data-part="votes"]`)
    if (count) count.textContent = votes
  }
  const box = poll && stage.querySelector(`[data-poll="${poll.id}"]`)
  if (!box) return
  const all = poll.counts.reduce((sum, votes) => sum + votes, 0)
  for (const [place, votes] of poll.counts.entries()) {
    const option = box.querySelector(`[data-option="${place + 1}"]`)
    if (!option) continue
    option.querySelector('[data-part="votes"]').textContent = votes
    option.querySelector("rect").setAttribute("width", all ? Math.round((100 * votes) / all) : 0)
  }
  box.querySelector('[data-part="all"]').textContent = stage.dataset.votes.replace("{n}", all)
}

export function chip({ soldOut, few, many, noLonger }, stock, available) {
  if (stock === null && available) return []
  const [tone, text] =
    stock === null ? ["amber", noLonger] : stock === 0 ? ["alert", soldOut] : stock <= 10 ? ["amber", few] : ["leaf", many]
  return [Object.assign(document.createElement("span"), { className: `chip ${tone}`, textContent: text.replace("{n}", stock) })]
}

// Minor units as the page's language writes them; a currency knows its own digits.
export function money({ amount, currency }, lang = document.documentElement.lang) {
  const format = new Intl.NumberFormat(lang, { style: "currency", currency, currencyDisplay: "narrowSymbol" })
  return format.format(amount / 10 ** format.resolvedOptions().maximumFractionDigits)
}
