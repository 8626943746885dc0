// For a shop's own pages: whoever came by ?ref=CODE (or ?via=) is counted, and the click's id kept for the order.
// It lands in a cookie of the shop's, in every <input name="gv">, in window.grapevine, and in a "gv:click" event.
// The pages of that visit say once, when first left, how many seconds they were seen; in a frame they say nothing.
// A shop that asked its visitor says so before: window.gvConsent = "denied" (or "granted").
const found = new URLSearchParams(location.search)
const code = found.get("ref") || found.get("via")
const base = new URL(import.meta.url).origin
const given = () => (document.cookie.match(/(?:^|; )gv=(\w{32})/) || [])[1]

function keep(gv) {
  sessionStorage.gvd = gv
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
const gv = given()
if (gv) {
  show(gv)
  if (sessionStorage.gvd === gv && top === self) {
    // 0: not seen yet (opened in the background); -1: told.
    let since = document.hidden ? 0 : performance.now()
    const look = ({ type }) => {
      if (type[0] === "v" && !document.hidden) since ||= performance.now()
      else if (since > 0) {
        const seconds = Math.floor((performance.now() - since) / 1000)
        const body = JSON.stringify({ gv, seconds, consent: window.gvConsent || "" })
        navigator.sendBeacon(`${base}/api/v1/clicks/dwell`, body)
        since = -1
      }
    }
    addEventListener("visibilitychange", look)
    addEventListener("pagehide", look)
  }
}
