// A socket.io server as its guide shows it: rooms, emit, acknowledgements, nothing kept.   node socketio.mjs PORT
import { createServer } from "node:http";
import { Server } from "socket.io";
import { eventOf } from "./rooms.mjs";

const http = createServer();
const io = new Server(http, { transports: ["websocket"], serveClient: false });

io.on("connection", (socket) => {
  socket.on("hello", ({ rooms }) => {
    socket.join(Object.keys(rooms));
    socket.emit("welcome", {});
  });
  socket.on("send", (said, acknowledge) => {
    const event = eventOf(said);
    io.to(said.room).emit("events", { room: said.room, events: [event] });
    acknowledge({ client_id: said.client_id, seq: event.seq, id: event.id });
  });
});
http.listen({ host: "127.0.0.1", port: +process.argv[2], backlog: 4096 });
