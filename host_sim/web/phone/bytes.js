// Bytes are Uint8Arrays everywhere; here is what JavaScript lacks for them.

/** All parts, one after the other. */
export function concat(...parts) {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Whether two are the same, in a time that does not tell where they differ. */
export function equal(one, other) {
  if (one.length !== other.length) return false;
  let difference = 0;
  for (let at = 0; at < one.length; at++) difference |= one[at] ^ other[at];
  return difference === 0;
}

export const ascii = (text) => new TextEncoder().encode(text);

/** A number in so many bytes, the most significant first. */
export function bigEndian(number, length) {
  const bytes = new Uint8Array(length);
  for (let at = length; at > 0; number = Math.floor(number / 256)) bytes[--at] = number % 256;
  return bytes;
}

/** The number that such bytes are; exact up to 2^53. */
export const number = (bytes) => bytes.reduce((sum, byte) => sum * 256 + byte, 0);

export const toHex = (bytes) =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

export const fromHex = (digits) =>
  Uint8Array.from(digits.match(/../g) ?? [], (pair) => parseInt(pair, 16));

/** base64url without padding, as the cloud has it. */
export const toBase64 = (bytes) =>
  btoa(String.fromCharCode(...bytes)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");

export const fromBase64 = (text) =>
  Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
