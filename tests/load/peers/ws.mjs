// A bare `ws` server: every message to everybody in its room, nothing kept.   node ws.mjs PORT
import { WebSocketServer } from "ws";
import { eventOf } from "./rooms.mjs";

const rooms = new Map();
const server = new WebSocketServer({ host: "127.0.0.1", port: +process.argv[2], perMessageDeflate: false, backlog: 4096 });

server.on("connection", (socket) => {
  socket.on("error", () => {});
  socket.on("message", (data) => {
    const said = JSON.parse(data);
    if (said.type === "hello") join(socket, Object.keys(said.rooms));
    if (said.type === "send") {
      const event = eventOf(said);
      // Encoded once for all: `ws` would do it again for every socket.
      const frame = Buffer.from(JSON.stringify({ type: "events", room: said.room, events: [event] }));
      for (const member of rooms.get(said.room)) member.send(frame, { binary: false });
      socket.send(JSON.stringify({ type: "ack", client_id: said.client_id, room: said.room, seq: event.seq, id: event.id }));
    }
  });
});

function join(socket, names) {
  for (const name of names) {
    if (!rooms.has(name)) rooms.set(name, new Set());
    rooms.get(name).add(socket);
    socket.on("close", () => rooms.get(name).delete(socket));
  }
  socket.send(JSON.stringify({ type: "welcome", rooms: {} }));
}
