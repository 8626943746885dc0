// A message through its form's door, where no socket carries it; and first the files that were kept in this browser for it.
import { knock } from "./chat-door.js"
import { kept, letGo } from "./chat-kept.js"

export async function post(room, token, { client_id, body, reply_to, files = [] }) {
  const fields = formOf({ _csrf: token, client_id, body, reply_to: reply_to ?? "" })
  for (const { id } of files) fields.append("file_ids", id)
  return knock(`/chat/${room}/messages`, fields)
}

// Each of them once: what has arrived is noted in the outbox at once. `{ ok }`, or why not.
export async function bringFiles(room, token, outbox, { client_id, files }) {
  for (const { key, name } of files) {
    if (!key) continue
    const file = await kept(key).catch(() => null)
    const others = (one) => one.key !== key
    // The browser needed the space, or somebody emptied it: one reads which it was, and may send the rest.
    if (!file) {
      outbox.change(client_id, { files: outbox.find(client_id)?.files?.filter(others) })
      return { isFinal: true, lost: name }
    }
    const { ok, isFinal, detail, said } = await knock(`/chat/${room}/files`, formOf({ _csrf: token, file: [file, name] }))
    if (!ok) return { isFinal, detail }
    const known = outbox.find(client_id)?.files ?? []
    outbox.change(client_id, { files: known.map((one) => (others(one) ? one : said)) })
    await letGo(key).catch(() => {})
  }
  return { ok: true }
}

function formOf(facts) {
  const fields = new FormData()
  for (const [name, value] of Object.entries(facts)) fields.set(name, ...[value].flat())
  return fields
}
