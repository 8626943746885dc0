// Words that wait in this browser to be sent: whoever brings them out is fetched only then.
const PREFIX = "chat-outbox:"

function look() {
  try {
    if (Object.keys(localStorage).some((key) => key.startsWith(PREFIX))) bringOut()
  } catch {
    // No storage, nothing that waits.
  }
}

function bringOut() {
  import("./chat-courier.js").then((courier) => courier.bringOut()).catch(() => {})
}

look()
// Written in another tab, which may be closed before it could send.
addEventListener("storage", ({ key, newValue }) => newValue && key?.startsWith(PREFIX) && bringOut())
