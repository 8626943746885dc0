// Shopify's own library as the judge: reads one JSON request on stdin, says whether it takes the webhook, and signs.
import "@shopify/shopify-api/adapters/web-api"
import { shopifyApi, LogSeverity } from "@shopify/shopify-api"
import { createHmac } from "node:crypto"

let text = ""
for await (const chunk of process.stdin) text += chunk
const asked = JSON.parse(text)
const shopify = shopifyApi({
  apiKey: "key", apiSecretKey: asked.secret, apiVersion: "2026-01", isEmbeddedApp: false,
  hostName: "community.example", logger: { log: () => {}, level: LogSeverity.Error },
})
const answers = []
for (const { body, headers } of asked.messages) {
  const rawRequest = new Request("https://community.example/webhooks/north", { method: "POST", headers, body })
  answers.push(await shopify.webhooks.validate({ rawBody: body, rawRequest }))
}
process.stdout.write(JSON.stringify(answers))
