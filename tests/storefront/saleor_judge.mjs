// jose, with which Saleor's own kit for apps looks at its webhooks: says which signatures it takes, and signs some.
import { FlattenedSign, createLocalJWKSet, flattenedVerify, importJWK } from "jose"

let text = ""
for await (const chunk of process.stdin) text += chunk
const asked = JSON.parse(text)
const keys = createLocalJWKSet(asked.published)
const takes = []
for (const { body, signature } of asked.messages) {
  const [header, , signed] = signature.split(".")
  const token = { protected: header, payload: body, signature: signed }
  takes.push(await flattenedVerify(token, keys).then(() => true, () => false))
}
const key = await importJWK(asked.secret_key, "RS256")
const signs = []
for (const body of asked.to_sign) {
  const made = new FlattenedSign(new TextEncoder().encode(body))
    .setProtectedHeader({ alg: "RS256", kid: "1", b64: false, crit: ["b64"] })
  const { protected: header, signature } = await made.sign(key)
  signs.push(`${header}..${signature}`)
}
process.stdout.write(JSON.stringify({ takes, signs }))
