// Keeps the <time datetime> of the page fresh: "5 minutes ago" stays true while the page is open.
// The server wrote the first text; dates older than a day are left as they are.
const format = new Intl.RelativeTimeFormat(document.documentElement.lang, { numeric: "auto" })
const DAY = 86_400

function freshen() {
  for (const time of document.querySelectorAll("time[datetime]:not([data-still])")) {
    const age = (Date.now() - Date.parse(time.dateTime)) / 1000
    if (!(age >= 0) || age >= DAY) time.dataset.still = ""
    else if (age >= 3600) time.textContent = format.format(-Math.floor(age / 3600), "hour")
    else if (age >= 60) time.textContent = format.format(-Math.floor(age / 60), "minute")
  }
}

setInterval(() => { if (!document.hidden) freshen() }, 30_000)
document.addEventListener("visibilitychange", () => { if (!document.hidden) freshen() })
