// Menus are <details>. They close with Escape, giving the focus back, and with a click or a Tab elsewhere.
const OPEN = "details:is(.menu, .confirm)[open]"

function closeOthers(target) {
  for (const menu of document.querySelectorAll(OPEN)) if (!menu.contains(target)) menu.open = false
}

document.addEventListener("click", (event) => closeOthers(event.target))
document.addEventListener("focusin", (event) => closeOthers(event.target))
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return
  const menu = [...document.querySelectorAll(OPEN)].at(-1)
  if (!menu) return
  menu.open = false
  menu.querySelector("summary").focus()
})
