// For a shop's own pages: whoever came by ?ref=CODE (or ?via=) is counted, and the click's id kept for the order.
// It lands in a cookie of the shop's, in every <input name="gv">, in window.grapevine, and in a "gv:click" event.
// A shop that asked its visitor says so before: window.gvConsent = "denied" (or "granted").
const found = new URLSearchParams(location.search)
const code = found.get("ref") || found.get("via")
const base = new URL(import.meta.url).origin
const given = () => (document.cookie.match(/(?:^|; )gv=(\w{32})/) || [])[1]

function keep(gv) {
  document.cookie = `gv=${gv}; path=/; max-age=2592000; samesite=lax${location.protocol === "https:" ? "; secure" : ""}`
}

function show(gv) {
  window.grapevine = { gv }
  for (const field of document.querySelectorAll("input[name=gv]")) field.value = gv
  dispatchEvent(new CustomEvent("gv:click", { detail: { gv } }))
}

const linked = found.get("gv")
if (/^\w{32}$/.test(linked || "")) keep(linked)
else if (code && sessionStorage.gv !== code) {
  try {
    const [page, referrer] = [location.href, document.referrer].map((address) => address.slice(0, 2000))
    const body = JSON.stringify({ code, page, referrer, consent: window.gvConsent || "" })
    const answer = await fetch(`${base}/api/v1/clicks`, { method: "POST", body, keepalive: true, credentials: "omit" })
    const { gv } = answer.ok ? await answer.json() : {}
    sessionStorage.gv = code
    if (gv) keep(gv)
  } catch {}
}
if (given()) show(given())
