// The subscriber of docs/SHOPS.md, run with stand-ins for the two things it takes from Medusa. Prints what it sent.
import { readFileSync } from "node:fs"

const asked = JSON.parse(readFileSync(0, "utf8"))
const code = asked.code.replace(/^import .*medusa\/core-flows"$/m, "const { getOrderDetailWorkflow } = globalThis.medusa")
const sent = []
process.env.GRAPEVINE_SECRET = asked.secret
process.env.GRAPEVINE_URL = "https://community.example/webhooks/north"
globalThis.fetch = async (url, how) => (sent.push({ url, body: how.body, headers: how.headers }), { ok: true })
globalThis.medusa = {
  getOrderDetailWorkflow: () => ({
    run: async ({ input }) => {
      if (input.order_id !== asked.order.id) throw new Error(`asked for ${input.order_id}`)
      return { result: asked.order }
    },
  }),
}
const rows = { payment: { payment_collection: { order: { id: asked.order.id } } }, fulfillment: { order: { id: asked.order.id } } }
const container = { resolve: () => ({ graph: async ({ entity }) => ({ data: [rows[entity]] }) }) }
const module = await import("data:text/javascript," + encodeURIComponent(code))
for (const name of module.config.event) {
  const id = name.startsWith("order.") ? asked.order.id : "other_1"
  await module.default({ event: { name, data: { id } }, container })
}
process.stdout.write(JSON.stringify(sent))
