// Files that were chosen while there was no line: kept in this browser until their message goes out.
const NAME = "chat-files"

function opened() {
  return new Promise((done, fail) => {
    const asked = indexedDB.open(NAME, 1)
    asked.onupgradeneeded = () => asked.result.createObjectStore(NAME)
    asked.onsuccess = () => done(asked.result)
    asked.onerror = () => fail(asked.error)
  })
}

async function inStore(mode, act) {
  const base = await opened()
  try {
    return await new Promise((done, fail) => {
      const deed = base.transaction(NAME, mode)
      const asked = act(deed.objectStore(NAME))
      deed.oncomplete = () => done(asked.result)
      deed.onerror = deed.onabort = () => fail(deed.error)
    })
  } finally {
    base.close()
  }
}

export const keep = (key, file) => inStore("readwrite", (files) => files.put(file, key))
export const kept = (key) => inStore("readonly", (files) => files.get(key))
export const letGo = (key) => inStore("readwrite", (files) => files.delete(key))
