// What is fetched when it is needed, where the network comes and goes.
import assert from "node:assert/strict"
import { test } from "node:test"
import { again } from "../../frontend/components/again.js"

const lost = [
  "Failed to fetch dynamically imported module: https://grapevine.example/static/1/components/chat-acts.js",
  "error loading dynamically imported module: https://grapevine.example/static/1/components/chat-acts.js",
  "Importing a module script failed.",
]

test("a piece that did not come is asked for again until it comes", async () => {
  const failures = lost.map((words) => new TypeError(words))
  let asked = 0
  const load = async () => {
    asked += 1
    if (failures.length) throw failures.shift()
    return { piece: "here" }
  }
  assert.deepEqual(await again(load, [0, 1]), { piece: "here" })
  assert.equal(asked, 4)
})

test("when the network is back it is asked for at once", async () => {
  const back = new EventTarget()
  globalThis.addEventListener = back.addEventListener.bind(back)
  globalThis.removeEventListener = back.removeEventListener.bind(back)
  let isThere = false
  const piece = again(async () => {
    if (!isThere) throw new TypeError(lost[0])
    return "here"
  }, [3_600_000])
  await new Promise((go) => setImmediate(go))
  isThere = true
  back.dispatchEvent(new Event("online"))
  assert.equal(await piece, "here")
})

test("a piece that came and is broken says so at once", async () => {
  let asked = 0
  const broken = async () => {
    asked += 1
    throw new TypeError("x is not a function")
  }
  await assert.rejects(again(broken, [0]), /x is not a function/)
  assert.equal(asked, 1)
})
