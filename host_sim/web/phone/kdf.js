// SHA-256, HMAC (RFC 2104) and HKDF (RFC 5869) over WebCrypto.
// Its own HKDF cannot do Expand alone, which EDHOC and the ratchet need; so both halves are HMACs.

import { concat } from "./bytes.js";

const HASH_BYTES = 32;
const HMAC = { name: "HMAC", hash: "SHA-256" };

export const sha256 = async (data) => new Uint8Array(await crypto.subtle.digest("SHA-256", data));

/** A key for `expand` that nobody can read again, and that IndexedDB can keep. */
export const hidden = (bytes) => crypto.subtle.importKey("raw", bytes, HMAC, false, ["sign"]);

/** HKDF-Extract. WebCrypto refuses an empty salt, for which the RFC puts zeros. */
export async function extract(salt, material) {
  return hmac(await hidden(salt.length ? salt : new Uint8Array(HASH_BYTES)), material);
}

/** HKDF-Expand; `secret` is bytes, or a `hidden` key. */
export async function expand(secret, info, length) {
  const key = secret instanceof CryptoKey ? secret : await hidden(secret);
  let [block, made] = [new Uint8Array(), new Uint8Array()];
  for (let count = 1; made.length < length; count++) {
    block = await hmac(key, concat(block, info, Uint8Array.of(count)));
    made = concat(made, block);
  }
  return made.slice(0, length);
}

const hmac = async (key, data) => new Uint8Array(await crypto.subtle.sign(HMAC, key, data));
