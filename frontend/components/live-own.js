// What of a stage is its reader's own is not in what is sent to everybody: it is carried over from what stood there.

export function carryOver(fresh, old, { isOwn, token, unwanted = "" }) {
  for (const field of fresh.querySelectorAll("input[name=_csrf]")) field.value ||= token
  const shunned = new Set(unwanted.split(" ").filter(Boolean))
  for (const line of fresh.querySelectorAll("[data-author]")) if (shunned.has(line.dataset.author)) line.remove()
  if (!old) return
  const open = [...old.querySelectorAll("details")].map((one) => one.open)
  fresh.querySelectorAll("details").forEach((one, n) => (one.open = open[n] ?? false))
  if (isOwn) return
  if (fresh.dataset.poll && fresh.dataset.poll === old.dataset.poll) choose(fresh, old)
  for (const vote of old.querySelectorAll('[data-question] [aria-pressed="true"]')) {
    const line = fresh.querySelector(`[data-question="${vote.closest("[data-question]").dataset.question}"]`)
    const button = line?.querySelector("[aria-pressed]")
    if (!button) continue
    button.setAttribute("aria-pressed", "true")
    line.querySelector("input[name=vote]").value = "off"
  }
}

function choose(fresh, old) {
  const mine = old.querySelector(".mine")
  const option = mine && fresh.querySelector(`[data-option="${mine.dataset.option}"]`)
  option?.classList.add("mine")
  option?.querySelector("[aria-pressed]")?.setAttribute("aria-pressed", "true")
}

// As a page without scripts would: with the button that was pressed.
export function sendAsForm(form, button) {
  if (button?.name) form.append(Object.assign(document.createElement("input"), { type: "hidden", name: button.name, value: button.value }))
  form.submit()
}
