// P-256 over WebCrypto: keys, and Diffie-Hellman with points of which only x is known.

import { concat, fromHex, toHex } from "./bytes.js";

export const ECDH = { name: "ECDH", namedCurve: "P-256" };
export const COORDINATE_BYTES = 32;

// SEC 2 version 2, section 2.4.2: y^2 = x^3 - 3x + b modulo p.
const P = 2n ** 256n - 2n ** 224n + 2n ** 192n + 2n ** 96n - 1n;
const B = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604bn;

/** The public key with these 64 bytes of coordinates. Rejects what is not on the curve. */
export const publicKey = (point) =>
  crypto.subtle.importKey("raw", concat(Uint8Array.of(4), point), ECDH, true, []);

/**
 * A public key with this x; which of the two does not matter to `agree`. Rejects an x of no point.
 * Takes no secrets: BigInt tells by its time what it computes.
 */
export async function lift(x) {
  const number = BigInt(`0x${toHex(x)}`);
  const y = power((number ** 3n - 3n * number + B) % P, (P + 1n) / 4n);
  return publicKey(concat(x, fromHex(y.toString(16).padStart(64, "0"))));
}

/** The x of the point that a private and a public key lead to. */
export async function agree(secret, open) {
  const algorithm = { name: "ECDH", public: open };
  return new Uint8Array(await crypto.subtle.deriveBits(algorithm, secret, 8 * COORDINATE_BYTES));
}

/** A new pair, whose private half no script can read: `secret`, and `point`, 64 bytes. */
export async function newPair() {
  const pair = await crypto.subtle.generateKey(ECDH, false, ["deriveBits"]);
  const raw = await crypto.subtle.exportKey("raw", pair.publicKey);
  return { secret: pair.privateKey, point: new Uint8Array(raw).slice(1) };
}

/** base^exponent modulo p. */
function power(base, exponent) {
  let result = 1n;
  for (; exponent; exponent >>= 1n) {
    if (exponent & 1n) result = (result * base) % P;
    base = (base * base) % P;
  }
  return result;
}
