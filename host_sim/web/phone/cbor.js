// Deterministic CBOR (RFC 8949 section 4.2.1), as much of it as handshakes have: integers, byte
// strings, text, arrays and maps. An integer is a number, a map a Map; every other form is refused.

import { ascii, bigEndian, concat, number } from "./bytes.js";

const MOST_DEPTH = 6;
const UNSIGNED = 0, NEGATIVE = 1, BYTES = 2, TEXT = 3, ARRAY = 4, MAP = 5;

export class CborError extends Error {}

export function encode(item) {
  if (Number.isSafeInteger(item)) {
    return item < 0 ? head(NEGATIVE, -1 - item) : head(UNSIGNED, item);
  }
  if (item instanceof Uint8Array) return concat(head(BYTES, item.length), item);
  if (typeof item === "string") return concat(head(TEXT, ascii(item).length), ascii(item));
  if (Array.isArray(item)) return concat(head(ARRAY, item.length), ...item.map(encode));
  if (item instanceof Map) {
    const pairs = [...item].map(([key, value]) => [encode(key), encode(value)]);
    pairs.sort(([one], [other]) => order(one, other));
    return concat(head(MAP, item.size), ...pairs.flat());
  }
  throw new CborError("nothing that CBOR has a form for here");
}

/** All items of a sequence (RFC 8742). Raises CborError. */
export function decodeSequence(bytes) {
  const reader = new Reader(bytes);
  const items = [];
  while (reader.at < bytes.length) items.push(reader.item(MOST_DEPTH));
  return items;
}

class Reader {
  constructor(bytes) {
    this.bytes = bytes;
    this.at = 0;
  }

  take(length) {
    if (length > this.bytes.length - this.at) throw new CborError("it ends too early");
    this.at += length;
    return this.bytes.slice(this.at - length, this.at);
  }

  item(depth) {
    if (depth === 0) throw new CborError("too deep");
    const [first] = this.take(1);
    const [kind, value] = [first >> 5, this.argument(first & 31)];
    if (kind === UNSIGNED) return value;
    if (kind === NEGATIVE) return -1 - value;
    if (kind === BYTES) return this.take(value);
    if (kind === TEXT) return this.text(value);
    if (kind === ARRAY) return this.members(value, () => this.item(depth - 1));
    if (kind === MAP) return this.map(value, depth);
    throw new CborError("a kind that is not used here");
  }

  argument(info) {
    if (info < 24) return info;
    if (info > 26) throw new CborError("too long, or of no definite length");
    const value = number(this.take(1 << (info - 24)));
    if (value < [24, 256, 65536][info - 24]) throw new CborError("not the shortest form");
    return value;
  }

  text(length) {
    try {
      return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(this.take(length));
    } catch (error) {
      throw error instanceof CborError ? error : new CborError("no UTF-8");
    }
  }

  /** So many, as long as there are bytes left for them. */
  members(count, read) {
    if (count > this.bytes.length - this.at) throw new CborError("it ends too early");
    return Array.from({ length: count }, read);
  }

  map(count, depth) {
    let before = null;
    return new Map(
      this.members(count, () => {
        const start = this.at;
        const key = this.item(depth - 1);
        if (Array.isArray(key) || key instanceof Map) throw new CborError("no key of a map");
        const encoded = this.bytes.slice(start, this.at);
        if (before && order(before, encoded) >= 0) throw new CborError("keys out of order");
        before = encoded;
        return [key, this.item(depth - 1)];
      }),
    );
  }
}

function head(kind, value) {
  const lead = kind << 5;
  if (value < 24) return Uint8Array.of(lead | value);
  if (value < 256) return Uint8Array.of(lead | 24, value);
  if (value < 65536) return concat(Uint8Array.of(lead | 25), bigEndian(value, 2));
  if (value < 2 ** 32) return concat(Uint8Array.of(lead | 26), bigEndian(value, 4));
  throw new CborError("too large a number");
}

/** How the bytes of two encoded keys sort. */
function order(one, other) {
  for (let at = 0; at < Math.min(one.length, other.length); at++) {
    if (one[at] !== other[at]) return one[at] - other[at];
  }
  return one.length - other.length;
}
