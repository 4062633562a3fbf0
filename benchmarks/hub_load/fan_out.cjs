// The peer: node `ws`, started as a team would who needs just this. No tokens, no calls, no checks.
//
//   NODE_PATH=… node fan_out.cjs forward|coalesce
//
// forward: every value goes to every console of its group at once.
// coalesce: what Sightline does: one frame a group and 50 ms, made once; of each laptop the newest level and picture.
// Prints its port.

const { WebSocketServer } = require("ws");

const coalesce = process.argv[2] === "coalesce";
const TICK_MS = 50;
const PICTURE_TAG = 2;
const groups = new Map();

function groupOf(name) {
  let group = groups.get(name);
  if (!group) {
    group = { consoles: new Set(), levels: new Map(), pictures: new Map(), tick: 0 };
    groups.set(name, group);
    if (coalesce) setTimeout(() => setInterval(flush, TICK_MS, group), Math.random() * TICK_MS); // spread over the tick
  }
  return group;
}

function arrayHead(length) {
  return length < 16 ? Buffer.from([0x90 | length]) : Buffer.from([0xdc, length >> 8, length & 255]);
}

function flush(group) {
  if (group.levels.size + group.pictures.size === 0) return;
  group.tick++;
  const head = Buffer.from([0x96, 62, 0xce, 0, 0, 0, 0, 0xcf, 0, 0, 0, 0, 0, 0, 0, 0]);
  head.writeUInt32BE(group.tick >>> 0, 3);
  head.writeBigUInt64BE(BigInt(Date.now()), 8);
  const levels = [...group.levels.values()];
  const pictures = [...group.pictures.values()];
  const none = Buffer.from([0x90]);
  const frame = Buffer.concat([head, arrayHead(levels.length), ...levels, none, arrayHead(pictures.length), ...pictures]);
  for (const console of group.consoles) console.send(frame);
  group.levels.clear();
  group.pictures.clear();
}

const server = new WebSocketServer({
  host: "127.0.0.1", port: 0, backlog: 4096, perMessageDeflate: false, clientTracking: false, maxPayload: 256 * 1024,
});

server.on("connection", (link, request) => {
  const [, kind, name] = request.url.split("/");
  const group = groupOf(name);
  link.on("error", () => {});
  if (kind === "console") {
    group.consoles.add(link);
    link.on("close", () => group.consoles.delete(link));
  } else {
    link.on("message", (value) => {
      if (coalesce) (value[1] === PICTURE_TAG ? group.pictures : group.levels).set(link, value);
      else for (const console of group.consoles) console.send(value, { binary: true });
    });
  }
});

server.on("listening", () => console.log(server.address().port));
