// What htmx leaves to us: a problem that was solved goes away, and a form marked data-reset is empty once it was sent.
document.addEventListener("htmx:after:request", (event) => {
  const { sourceElement, response } = event.detail?.ctx ?? {}
  if (!response || response.status >= 400) return
  document.getElementById("problems")?.replaceChildren()
  if (sourceElement?.matches("form[data-reset]")) sourceElement.reset()
})
