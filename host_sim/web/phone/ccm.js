// AES-CCM (RFC 3610) with a tag of 8 bytes and a nonce of 13, made of WebCrypto's CBC and CTR.

import { bigEndian, concat, equal } from "./bytes.js";

export const NONCE_BYTES = 13;
export const TAG_BYTES = 8;

const BLOCK = 16;
const LENGTH_BYTES = 15 - NONCE_BYTES;
const FLAGS = (8 * (TAG_BYTES - 2)) / 2 + LENGTH_BYTES - 1;
const HAS_DATA = 0x40;
const NOTHING = new Uint8Array();

/** The ciphertext, with its tag at the end; `data` is only authenticated. */
export async function encrypt(key, nonce, plaintext, data = NOTHING) {
  const tag = await mac(key, nonce, plaintext, data);
  const [sealedTag, ciphertext] = await mask(key, nonce, tag, plaintext);
  return concat(ciphertext, sealedTag);
}

/** The plaintext, or null if anything was changed. */
export async function decrypt(key, nonce, ciphertext, data = NOTHING) {
  const end = ciphertext.length - TAG_BYTES;
  if (end < 0) return null;
  const parts = [ciphertext.slice(end), ciphertext.slice(0, end)];
  const [tag, plaintext] = await mask(key, nonce, ...parts);
  return equal(tag, await mac(key, nonce, plaintext, data)) ? plaintext : null;
}

/** CBC-MAC over all that counts (section 2.2): the last block of a CBC with an IV of zeros. */
async function mac(key, nonce, plaintext, data) {
  if (plaintext.length >= 65536 || data.length >= 65280) throw new RangeError("too long for CCM");
  const flags = FLAGS | (data.length ? HAS_DATA : 0);
  const first = concat(Uint8Array.of(flags), nonce, bigEndian(plaintext.length, LENGTH_BYTES));
  const blocks = [first];
  if (data.length) blocks.push(padded(concat(bigEndian(data.length, 2), data)));
  blocks.push(padded(plaintext));
  const algorithm = { name: "AES-CBC", iv: new Uint8Array(BLOCK) };
  const chain = await run(algorithm, key, concat(...blocks));
  // WebCrypto fills up even whole blocks, with one more.
  return chain.slice(-2 * BLOCK).slice(0, TAG_BYTES);
}

/** Tag and text under the key stream (section 2.3), or from under it: block 0 is the tag's. */
async function mask(key, nonce, tag, text) {
  const counter = concat(Uint8Array.of(LENGTH_BYTES - 1), nonce, new Uint8Array(LENGTH_BYTES));
  const algorithm = { name: "AES-CTR", counter, length: 8 * LENGTH_BYTES };
  const mixed = await run(algorithm, key, concat(padded(tag), text));
  return [mixed.slice(0, TAG_BYTES), mixed.slice(BLOCK)];
}

async function run(algorithm, key, text) {
  const imported = await crypto.subtle.importKey("raw", key, algorithm.name, false, ["encrypt"]);
  return new Uint8Array(await crypto.subtle.encrypt(algorithm, imported, text));
}

/** With zeros up to the end of a block. */
const padded = (bytes) => concat(bytes, new Uint8Array((BLOCK - (bytes.length % BLOCK)) % BLOCK));
