// The page that a shared link led to says once, when it is first left, how long it was seen. In a frame it says nothing.
const gv = new URLSearchParams(location.search).get("gv")

if (/^[0-9a-f]{32}$/.test(gv || "") && top === self) {
  // 0: not seen yet (opened in the background); -1: told.
  let since = document.hidden ? 0 : performance.now()
  const look = ({ type }) => {
    if (type === "visibilitychange" && !document.hidden) since ||= performance.now()
    else if (since > 0) {
      const seconds = Math.floor((performance.now() - since) / 1000)
      navigator.sendBeacon("/api/v1/clicks/dwell", JSON.stringify({ gv, seconds }))
      since = -1
    }
  }
  document.addEventListener("visibilitychange", look)
  addEventListener("pagehide", look)
}
