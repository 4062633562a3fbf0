// Messages of the peer link by name, from the table that the server makes of its schemas.

import { decode, encode } from "./msgpack.js";
import { DOWN, UP } from "./wire.js";

const up = new Map(UP.map(kind => [kind.name, kind]));
const down = new Map(DOWN.map(kind => [kind.tag, kind]));

/** A message's name and fields -> its frame, Uint8Array. Error for an unknown name and for a field that is missing. */
export function toFrame(name, values) {
  const kind = up.get(name);
  if (!kind) throw new Error(`there is no message ${name}`);
  return encode([kind.tag, ...kind.fields.map(field => given(name, field, values[field.name]))]);
}

/** A frame -> { kind, …fields }; null for a kind that a newer server sends. Error for what is no message. */
export function fromFrame(frame) {
  const items = decode(frame);
  if (!Array.isArray(items) || !items.length) throw new Error("a message is an array that begins with its tag");
  const kind = down.get(items[0]);
  return kind ? { kind: kind.name, ...named(kind.name, kind.fields, items.slice(1)) } : null;
}

function named(name, fields, values) {
  return Object.fromEntries(fields.map((field, n) => {
    const value = given(name, field, values[n]);
    return [field.name, field.items ? value.map(item => named(name, field.items, item)) : value];
  }));
}

function given(name, field, value) {
  if (value !== undefined) return value;
  if (!("default" in field)) throw new Error(`${name} lacks ${field.name}`);
  return field.default;
}
