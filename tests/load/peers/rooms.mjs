// What both peers do with a message: give it the next number of its room and say it in the words of our own protocol.
// They look nobody up, keep nothing, and render no HTML: less work than ours does for the same message.

const seqs = new Map();
const author = { id: "1", handle: "load", name: "Load" };

export function eventOf({ room, client_id, body }) {
  const seq = (seqs.get(room) ?? 0) + 1;
  seqs.set(room, seq);
  return { seq, kind: "message", id: String(seq), author, client_id, body, at: new Date().toISOString() };
}
