// On a phone the room ends where the keyboard begins: what can be seen is as high as the visual viewport says.
// Browsers that resize the page themselves agree with it, and nothing moves.
export function keepAboveKeyboard(log) {
  const seen = globalThis.visualViewport
  // Where the room is a part of a longer page, that page scrolls as any other.
  if (!seen || !document.querySelector(".page.full")) return () => {}
  const fit = () => {
    if (seen.scale !== 1) return
    const wasAtEnd = log.isAtEnd
    document.documentElement.style.setProperty("--in-sight", `${seen.height}px`)
    // Safari pushes the page up to show the field; the room has made space for it already.
    if (scrollY && matchMedia("(max-width: 45rem)").matches) scrollTo(0, 0)
    if (wasAtEnd) log.scrollToEnd()
  }
  for (const name of ["resize", "scroll"]) seen.addEventListener(name, fit)
  fit()
  return () => {
    for (const name of ["resize", "scroll"]) seen.removeEventListener(name, fit)
    document.documentElement.style.removeProperty("--in-sight")
  }
}
