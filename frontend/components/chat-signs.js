// Signs on a message: the board shows those one uses most, and a small window holds the rest; any other can be typed.
const KEY = "chat-signs"
const MORE = "😀 😄 😅 🤣 😊 😍 🤔 😐 😴 😭 😱 😡 🥳 😎 🤯 🫠 👋 👎 👏 🙌 🤝 💪 ✌️ 🤞 👌 🙏 💜 💚 💔 🔥 ✨ ⭐ ✅ ❌ ❓ ❗ 💯 🎯 🚀 🎁 🍇 ☕ 🍵 🍰 🌧️ ☀️ 🏔️ 🥾 ⛺ 🚲 📷 📦 💸 🏷️ 👀 💤"

export function oftenUsed() {
  try {
    const counts = Object.entries(JSON.parse(localStorage.getItem(KEY) ?? "{}"))
    return counts.sort((one, other) => other[1] - one[1]).map(([sign]) => sign)
  } catch {
    return []
  }
}

export function remember(sign) {
  try {
    const counts = JSON.parse(localStorage.getItem(KEY) ?? "{}")
    counts[sign] = (counts[sign] ?? 0) + 1
    localStorage.setItem(KEY, JSON.stringify(Object.fromEntries(Object.entries(counts).slice(-60))))
  } catch {
    // Without storage the board stays as the server drew it.
  }
}

// A board that was opened: one's own signs first, and a way to all others.
export function suit(board, words) {
  const buttons = [...board.querySelectorAll("button.reaction:not(.other)")]
  const usual = buttons.map((button) => button.value)
  const wanted = [...new Set([...oftenUsed(), ...usual])].slice(0, buttons.length)
  for (const [n, button] of buttons.entries()) button.value = button.textContent = wanted[n]
  if (board.querySelector(".other")) return
  const other = Object.assign(document.createElement("button"), { type: "button", className: "reaction other", textContent: "＋", ariaLabel: words.otherSign })
  other.addEventListener("click", () => choose(board, words))
  board.append(other)
}

function choose(board, words) {
  const dialog = document.createElement("dialog")
  dialog.className = "all-signs"
  dialog.setAttribute("aria-label", words.otherSign)
  const form = Object.assign(document.createElement("form"), { method: "dialog" })
  const field = Object.assign(document.createElement("input"), { name: "sign", maxLength: 16, placeholder: words.typeSign, ariaLabel: words.typeSign, autocomplete: "off" })
  const grid = Object.assign(document.createElement("div"), { className: "grid" })
  for (const sign of MORE.split(" ")) grid.append(Object.assign(document.createElement("button"), { type: "submit", className: "reaction", value: sign, textContent: sign }))
  form.append(field, grid)
  dialog.append(form)
  grid.addEventListener("keydown", walk)
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close())
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing || event.keyCode === 229) return
    event.preventDefault()
    dialog.close(field.value.trim())
  })
  dialog.addEventListener("close", () => {
    dialog.remove()
    const sign = dialog.returnValue
    if (!sign) return
    const button = Object.assign(document.createElement("button"), { name: "emoji", value: sign, hidden: true })
    board.append(button)
    board.requestSubmit(button)
    button.remove()
  })
  document.body.append(dialog)
  dialog.showModal()
}

function walk(event) {
  const all = [...event.currentTarget.children]
  const here = all.indexOf(document.activeElement)
  const wide = all.findIndex((one) => one.offsetTop > all[0].offsetTop)
  const step = { ArrowRight: 1, ArrowLeft: -1, ArrowDown: wide, ArrowUp: -wide }[event.key]
  if (!step || here < 0) return
  event.preventDefault()
  all[Math.max(0, Math.min(all.length - 1, here + step))].focus()
}
