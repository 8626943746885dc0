// Who is here after one more word about it: everybody anew, who came and went, or a number when they are many.
const MOST_NAMED = 50
export function present(known, { online, members, came = [], went = [] }) {
  if (members) return new Map(members.map((one) => [one.id, one]))
  if (online > MOST_NAMED && !came.length && !went.length) return new Map()
  const now = new Map(known)
  for (const id of went) now.delete(id)
  for (const one of came) now.set(one.id, one)
  return now
}

// Their names under the head of the room, each a link.
export function show(list, people) {
  list.replaceChildren(
    ...[...people.values()].map(({ name, handle }) => {
      const item = document.createElement("li")
      item.append(Object.assign(document.createElement("a"), { href: `/@${handle}`, textContent: name || handle }))
      return item
    }),
  )
}
