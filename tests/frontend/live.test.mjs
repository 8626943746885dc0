import assert from "node:assert/strict"
import { test } from "node:test"

import { money } from "../../frontend/components/live-figures.js"

test("a price is written in the page's language with the currency's own digits", () => {
  const written = (amount, currency, lang) => money({ amount, currency }, lang).replace(/\s/g, " ")
  assert.equal(written(7450, "USD", "en"), "$74.50")
  assert.equal(written(1200, "JPY", "en"), "¥1,200")
  assert.equal(written(1234, "KWD", "en"), "KWD 1.234")
  assert.equal(written(7450, "CNY", "zh-Hans"), "¥74.50")
})
