// The part of msgpack that the peer link uses: null, booleans, integers, floats, strings, bytes, arrays, maps.

const text = new TextEncoder();
const words = new TextDecoder("utf-8", { fatal: true });
const NESTED_MAX = 32;

/** A value -> Uint8Array. TypeError for what has no form here. */
export function encode(value) {
  const out = [];
  write(value, out);
  return Uint8Array.from(out);
}

function write(value, out) {
  if (value === null || value === undefined) out.push(0xc0);
  else if (value === false) out.push(0xc2);
  else if (value === true) out.push(0xc3);
  else if (typeof value === "number") writeNumber(value, out);
  else if (typeof value === "string") writeString(text.encode(value), out);
  else if (Array.isArray(value)) {
    writeHead(value.length, 0x90, 15, 0xdc, out);
    for (const item of value) write(item, out);
  } else throw new TypeError(`${typeof value} has no form on this link`);
}

function writeNumber(value, out) {
  if (!Number.isSafeInteger(value)) {
    const bytes = new DataView(new ArrayBuffer(8));
    bytes.setFloat64(0, value);
    out.push(0xcb, ...new Uint8Array(bytes.buffer));
  } else if (value >= 0) {
    if (value < 0x80) out.push(value);
    else if (value < 0x100) out.push(0xcc, value);
    else if (value < 0x10000) out.push(0xcd, ...bigEndian(value, 2));
    else if (value < 0x100000000) out.push(0xce, ...bigEndian(value, 4));
    else out.push(0xcf, ...bigEndian(value, 8));
  } else if (value >= -0x20) out.push(value & 0xff);
  else {
    const bytes = new DataView(new ArrayBuffer(8));
    bytes.setBigInt64(0, BigInt(value));
    out.push(0xd3, ...new Uint8Array(bytes.buffer));
  }
}

function writeString(bytes, out) {
  if (bytes.length < 32) out.push(0xa0 | bytes.length);
  else if (bytes.length < 0x100) out.push(0xd9, bytes.length);
  else if (bytes.length < 0x10000) out.push(0xda, ...bigEndian(bytes.length, 2));
  else out.push(0xdb, ...bigEndian(bytes.length, 4));
  for (const byte of bytes) out.push(byte);
}

function writeHead(length, small, smallMax, tag, out) {
  if (length <= smallMax) out.push(small | length);
  else if (length < 0x10000) out.push(tag, ...bigEndian(length, 2));
  else out.push(tag + 1, ...bigEndian(length, 4));
}

function bigEndian(value, bytes) {
  const out = [];
  for (let left = value, n = 0; n < bytes; n++, left = Math.floor(left / 256)) out.unshift(left % 256);
  return out;
}

/** Uint8Array of one whole value -> the value. Error for anything else; an integer beyond 2**53 loses its end. */
export function decode(bytes) {
  const reader = new Reader(bytes);
  const value = reader.value(0);
  if (reader.at !== bytes.length) throw new Error("more than one message in a frame");
  return value;
}

class Reader {
  constructor(bytes) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = 0;
  }

  take(length) {
    if (this.at + length > this.bytes.length) throw new Error("the message is cut off");
    this.at += length;
    return this.at - length;
  }

  number(bytes) {
    const at = this.take(bytes);
    if (bytes === 8) return Number(this.view.getBigUint64(at));
    return bytes === 4 ? this.view.getUint32(at) : bytes === 2 ? this.view.getUint16(at) : this.view.getUint8(at);
  }

  slice(length) {
    const at = this.take(length);
    return this.bytes.subarray(at, at + length);
  }

  value(depth) {
    if (depth > NESTED_MAX) throw new Error("too deeply nested");
    const tag = this.number(1);
    if (tag < 0x80) return tag;
    if (tag >= 0xe0) return tag - 0x100;
    if (tag < 0x90) return this.map(tag & 15, depth);
    if (tag < 0xa0) return this.array(tag & 15, depth);
    if (tag < 0xc0) return words.decode(this.slice(tag & 31));
    switch (tag) {
      case 0xc0: return null;
      case 0xc2: return false;
      case 0xc3: return true;
      case 0xc4: case 0xc5: case 0xc6: return this.slice(this.number(1 << (tag - 0xc4))).slice();
      case 0xca: return this.view.getFloat32(this.take(4));
      case 0xcb: return this.view.getFloat64(this.take(8));
      case 0xcc: case 0xcd: case 0xce: case 0xcf: return this.number(1 << (tag - 0xcc));
      case 0xd0: return this.view.getInt8(this.take(1));
      case 0xd1: return this.view.getInt16(this.take(2));
      case 0xd2: return this.view.getInt32(this.take(4));
      case 0xd3: return Number(this.view.getBigInt64(this.take(8)));
      case 0xd9: case 0xda: case 0xdb: return words.decode(this.slice(this.number(1 << (tag - 0xd9))));
      case 0xdc: case 0xdd: return this.array(this.number(2 << (tag - 0xdc)), depth);
      case 0xde: case 0xdf: return this.map(this.number(2 << (tag - 0xde)), depth);
      default: throw new Error(`0x${tag.toString(16)} has no meaning on this link`);
    }
  }

  array(length, depth) {
    const items = [];
    for (let n = 0; n < length; n++) items.push(this.value(depth + 1));
    return items;
  }

  map(length, depth) {
    const entries = new Map();
    for (let n = 0; n < length; n++) entries.set(this.value(depth + 1), this.value(depth + 1));
    return entries;
  }
}
