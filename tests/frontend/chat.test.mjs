// What the chat's modules decide without a page. Run by `node --test tests/frontend/`.
import assert from "node:assert/strict"
import { test } from "node:test"
import { handleBefore } from "../../frontend/components/chat-mentions.js"
import { ChatOutbox, inMemory, roomsWaiting } from "../../frontend/components/chat-outbox.js"
import { present } from "../../frontend/components/chat-people.js"
import {
  changeOf,
  dayName,
  goesOn,
  inOrder,
  missing,
  pauseBefore,
  previewOf,
  toHear,
} from "../../frontend/components/chat-rules.js"

const event = (seq, more = {}) => ({ seq, kind: "message", author: { id: "7", name: "Ada" }, body: `line ${seq}`, ...more })

test("events already told are left out, and a missing one stops those behind it", () => {
  assert.deepEqual(inOrder(4, [event(3), event(4), event(5), event(6)]).next.map((one) => one.seq), [5, 6])
  const broken = inOrder(4, [event(5), event(7), event(8)])
  assert.deepEqual([broken.next.map((one) => one.seq), broken.seq, broken.hasGap], [[5], 5, true])
  assert.equal(inOrder(4, [event(9)], { mayJump: true }).seq, 9)
  assert.deepEqual(inOrder(4, [event(5), event(5)]).next.length, 1)
})

test("any order of delivery, cut anywhere and asked again, shows each event once and in order", () => {
  const all = Array.from({ length: 40 }, (_nothing, n) => event(n + 1))
  for (let round = 0; round < 200; round += 1) {
    let seq = 0
    const shown = []
    for (let asked = 0; asked < 500 && seq < all.length; asked += 1) {
      // The network brings a stretch that begins and ends anywhere; after a gap the page asks from where it stands.
      const from = Math.floor(Math.random() * all.length)
      const told = inOrder(seq, all.slice(from, from + Math.ceil(Math.random() * 9)))
      shown.push(...told.next)
      seq = told.seq
      if (told.hasGap) {
        const again = inOrder(seq, all.slice(seq, seq + 3))
        shown.push(...again.next)
        seq = again.seq
      }
    }
    assert.deepEqual(shown.map((one) => one.seq), all.slice(0, seq).map((one) => one.seq))
    assert.equal(seq, all.length)
  }
})

test("words of one person soon after each other read as one, but not over midnight", () => {
  const at = (text) => ({ author: "7", at: new Date(text).toISOString() })
  assert.equal(goesOn(at("2026-03-14T10:00:00"), at("2026-03-14T10:04:59")), true)
  assert.equal(goesOn(at("2026-03-14T10:00:00"), at("2026-03-14T10:05:01")), false)
  assert.equal(goesOn(at("2026-03-14T23:59:00"), at("2026-03-15T00:01:00")), false)
  assert.equal(goesOn(at("2026-03-14T10:00:00"), { ...at("2026-03-14T10:01:00"), author: "8" }), false)
  assert.equal(goesOn(undefined, at("2026-03-14T10:01:00")), false)
})

test("a day is named as people name it, in their language", () => {
  const now = new Date("2026-03-14T12:00:00")
  assert.equal(dayName("2026-03-14T00:01:00", "en", now), "Today")
  assert.equal(dayName("2026-03-13T23:59:00", "en", now), "Yesterday")
  assert.equal(dayName("2026-03-13T23:59:00", "zh-Hans", now), "昨天")
  assert.match(dayName("2026-03-02T12:00:00", "en", now), /^Monday.*2/)
  assert.doesNotMatch(dayName("2026-03-02T12:00:00", "en", now), /2026/)
  assert.match(dayName("2025-03-02T12:00:00", "en", now), /2025/)
})

test("a screen reader says what others wrote, the number of many, and nothing of one's own", () => {
  const words = { many: "{n} new messages" }
  assert.equal(toHear([event(1), event(2, { author: { id: "9", name: "Bob" } })], "7", words), "Bob: line 2")
  assert.equal(toHear([1, 2, 3, 4].map((seq) => event(seq)), "9", words), "4 new messages")
  assert.equal(toHear([event(1, { kind: "edit" }), event(2, { kind: "join" }), event(3, { gone: true })], "9", words), "")
})

test("a handle is being written only where a word begins", () => {
  assert.deepEqual(handleBefore("hello @ad", 9), { from: 6, part: "ad" })
  assert.deepEqual(handleBefore("@", 1), { from: 0, part: "" })
  assert.deepEqual(handleBefore("你好，@林", 5), { from: 3, part: "林" })
  assert.equal(handleBefore("mail ada@example", 16), null)
  assert.equal(handleBefore("hello @ad done", 14), null)
})

test("what an event changes is what the server's snapshot says it changes", () => {
  assert.deepEqual(changeOf(event(1)), { isMessage: true })
  assert.deepEqual(changeOf({ kind: "edit", body: "new  words" }), { words: true, marks: true, quote: "new words" })
  assert.deepEqual(changeOf({ kind: "edit", files: [{ name: "tent.pdf" }] }).quote, "tent.pdf")
  assert.deepEqual(changeOf({ kind: "delete" }), { isGone: true, quote: "" })
  assert.deepEqual(changeOf({ kind: "react", emoji: "👍" }), { marks: true })
  assert.deepEqual(changeOf({ kind: "pin", gone: true }), {})
  assert.deepEqual(changeOf({ kind: "something newer" }), {})
  assert.equal(changeOf({ kind: "edit", body: "x".repeat(200) }).quote.length, 80)
})

test("who is here follows who came and went, and is a number where they are many", () => {
  const [ada, bob] = [{ id: "7", name: "Ada" }, { id: "9", name: "Bob" }]
  let here = present(new Map(), { online: 1, members: [ada] })
  here = present(here, { online: 2, came: [bob], went: [] })
  assert.deepEqual([...here.keys()], ["7", "9"])
  here = present(here, { online: 3 })
  assert.equal(here.size, 2, "one who only looks in is counted, not named")
  here = present(here, { online: 1, came: [], went: ["7"] })
  assert.deepEqual([...here.values()], [bob])
  assert.equal(present(here, { online: 80 }).size, 0)
})

test("a room of which less arrived than was told, or which is told no more, is missing", () => {
  const where = { 7: { seq: 12, epoch: "e" }, 8: { seq: 3 }, 9: { seq: 1 } }
  assert.deepEqual(missing(where, { 7: 12, 8: 2, 9: 1 }), {})
  assert.deepEqual(missing(where, { 7: 13, 8: 3, 9: 1 }), { 7: { seq: 12, epoch: "e" } })
  assert.deepEqual(missing(where, { 7: 12, 9: 1 }), { 8: { seq: 3 } })
  assert.deepEqual(missing(where, { 7: 12 }, new Set(["8", "9"])), {}, "who was sent away does not ask again")
})

test("pauses grow, end somewhere, and no two pages keep step", () => {
  assert.equal(pauseBefore(1, { chance: 0 }), 500)
  assert.ok(pauseBefore(3, { chance: 1 }) > pauseBefore(1, { chance: 1 }))
  assert.ok(pauseBefore(60) <= 30_000)
})

test("two tabs that write at once lose nothing, and what one sent the other no longer has", () => {
  const storage = inMemory()
  const [here, there] = [new ChatOutbox("7", "3", storage), new ChatOutbox("7", "3", storage)]
  const first = here.add("from here")
  const second = there.add("from there", { reply_to: "12" })
  assert.deepEqual(here.list().map((one) => one.body).sort(), ["from here", "from there"])
  assert.equal(here.find(second.client_id).reply_to, "12")
  there.remove(first.client_id)
  assert.deepEqual(here.list().map((one) => one.body), ["from there"])
  assert.deepEqual(new ChatOutbox("7", "4", storage).list(), [])
  assert.deepEqual(new ChatOutbox("8", "3", storage).list(), [])
})

test("from any page one sees in which rooms something waits, of this member alone", () => {
  const storage = inMemory()
  for (const [member, room] of [["7", "3"], ["7", "3"], ["7", "12"], ["8", "4"], ["77", "5"]]) new ChatOutbox(member, room, storage).add("words")
  storage.setItem("draft:chat:9", "{}")
  assert.deepEqual(roomsWaiting("7", storage).sort(), ["12", "3"])
  assert.deepEqual(roomsWaiting("9", storage), [])
})

test("words come out of the outbox in the order in which they were written, however quickly", () => {
  const outbox = new ChatOutbox("7", "3", inMemory())
  const said = Array.from({ length: 30 }, (_nothing, n) => `line ${n}`)
  for (const body of said) outbox.add(body)
  assert.deepEqual(outbox.list().map((one) => one.body), said)
})

test("a full storage loses nothing while the page is open; what is torn goes, what is old stays and says so", () => {
  const storage = inMemory()
  storage.setItem("chat-outbox:7:3:old", JSON.stringify({ client_id: "old", body: "old", at: Date.now() - 4 * 86_400_000 }))
  storage.setItem("chat-outbox:7:3:torn", '{"client')
  const outbox = new ChatOutbox("7", "3", storage)
  assert.deepEqual(outbox.list().map(({ body, isOld }) => [body, isOld]), [["old", true]])
  assert.equal(storage.length, 1)
  outbox.change("old", { at: Date.now() })
  assert.equal(outbox.list()[0].isOld, false, "tried again, it is as new")
  outbox.remove("old")
  storage.setItem = () => {
    throw new Error("full")
  }
  const message = outbox.add("kept")
  outbox.change(message.client_id, { failed: "No." })
  assert.equal(outbox.find(message.client_id).failed, "No.")
  assert.equal(outbox.list().length, 1)
})

test("who was blocked is not read aloud, and their words stand in no list", () => {
  const words = { many: "{n} new messages" }
  const [theirs, hers] = [event(1, { id: "31", author: { id: "9", name: "Bob" } }), event(2, { id: "32" })]
  assert.equal(toHear([theirs, hers], "8", words, ["9"]), "Ada: line 2")
  assert.equal(toHear([theirs, hers, hers, hers], "8", words, ["9"]), "Ada: line 2\nAda: line 2\nAda: line 2")
  assert.equal(previewOf(theirs, "30", ["9"]), "")
  assert.equal(previewOf(hers, "30", ["9"]), "new")
})

test("the list of rooms follows what becomes of the last words, and of no others", () => {
  const change = (kind, id, more = {}) => previewOf({ kind, id, author: { id: "7" }, ...more }, "32")
  assert.deepEqual([change("edit", "32"), change("delete", "32")], ["other", "ask"])
  assert.deepEqual([change("edit", "31"), change("delete", "31"), change("react", "32"), change("join", "")], ["", "", "", ""])
  assert.equal(change("message", "33", { gone: true }), "", "what was missed and is gone is nobody's last word")
  assert.equal(change("edit", "33", { author: undefined }), "ask", "moderators gave it back")
  assert.equal(change("edit", "32", { author: undefined }), "", "a card came: the words are the same")
  assert.equal(previewOf({ kind: "edit", id: "1" }, undefined), "ask")
})
