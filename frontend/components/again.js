// A piece of the page that is fetched when it is needed may not come: in a tunnel, or while the server restarts. It is
// asked for again in growing pauses, and at once when the network is back. (A browser from before 2026 may remember the
// failure until the page is loaded anew; the room goes on without the piece.)
const PAUSES = [500, 1_000, 2_000, 4_000, 8_000, 15_000, 30_000]
// As Chromium, Firefox and Safari say it. A piece that came and is broken is a mistake of ours, and no pause mends it.
const NOT_FETCHED = /dynamically imported module|module script/i

export async function again(load, pauses = PAUSES) {
  for (let tries = 0; ; tries += 1) {
    try {
      return await load()
    } catch (error) {
      if (!NOT_FETCHED.test(error?.message)) throw error
      await pause(pauses[Math.min(tries, pauses.length - 1)])
    }
  }
}

function pause(length) {
  return new Promise((go) => {
    const done = () => {
      clearTimeout(timer)
      globalThis.removeEventListener?.("online", done)
      go()
    }
    const timer = setTimeout(done, length)
    globalThis.addEventListener?.("online", done)
  })
}
