// EDHOC (RFC 9528), the initiator of method 3 in cipher suite 2: both sides have static
// Diffie-Hellman keys of P-256; AES-CCM-16-64-128, SHA-256. Values are named as in the RFC.

import { concat, equal } from "./bytes.js";
import { CborError, decodeSequence, encode } from "./cbor.js";
import * as ccm from "./ccm.js";
import { expand, extract, sha256 } from "./kdf.js";
import { COORDINATE_BYTES, agree, lift } from "./p256.js";

export const KID = 4; // labels of ID_CRED
export const KCCS = 14;

const METHOD = 3;
const SUITE = 2;
const MAC_BYTES = 8;
const KEY_BYTES = 16;
const HASH_BYTES = 32;
const MOST_BYTES = 512; // of a message

// Labels of EDHOC_KDF (section 4.1.2); those of an IV follow their key's.
const KEYSTREAM_2 = 0, SALT_3E2M = 1, MAC_2 = 2, K_3 = 3, SALT_4E3M = 5, MAC_3 = 6, PRK_OUT = 7;
const K_4 = 8, PRK_EXPORTER = 10;

/** The handshake is over, and nothing that was computed in it may be used. */
export class EdhocError extends Error {}

/**
 * One handshake: `message1`, `take2`, `take4`, `export`, in this order and each message once.
 *
 * `ephemeral` is a pair of `p256.newPair` that was never used; `suites` SUITES_I; `cI` C_I.
 */
export class Initiator {
  #ephemeral; #suites; #cI;
  #next = "message 1";
  #message1; #th; #prk3e2m; #prk4e3m; #prkExporter;

  constructor(ephemeral, suites = SUITE, cI = 0) {
    this.#ephemeral = ephemeral;
    this.#suites = suites;
    this.#cI = cI;
  }

  message1() {
    this.#enter("message 1");
    const gX = this.#ephemeral.point.slice(0, COORDINATE_BYTES);
    const parts = [METHOD, this.#suites, gX, this.#cI];
    this.#message1 = concat(...parts.map(encode));
    this.#next = "message 2";
    return this.#message1;
  }

  /**
   * Message 3, after the other side has proven to be `peer`: its `kid`, `credential` and public
   * `key`. `self` has `idCred`, a Map, `credential` and the private key, `secret`.
   */
  async take2(message2, peer, self) {
    this.#enter("message 2");
    const received = bytesOf(message2);
    const gY = received.slice(0, COORDINATE_BYTES);
    const ciphertext2 = received.slice(COORDINATE_BYTES);
    const point = await lift(gY).catch(() => fail("no point of the curve"));
    const ephemeral = this.#ephemeral.secret;
    this.#ephemeral = null;

    this.#th = await sha256(concat(encode(gY), encode(await sha256(this.#message1))));
    const prk2e = await extract(this.#th, await agree(ephemeral, point));
    const stream = await kdf(prk2e, KEYSTREAM_2, this.#th, ciphertext2.length);
    const plaintext2 = ciphertext2.map((byte, at) => byte ^ stream[at]);
    const [cR, reference, mac2, ...ead2] = members(plaintext2, 3);
    const idCredR = reference instanceof Map ? reference : new Map([[KID, identifier(reference)]]);
    const expected = new Map([[KID, peer.kid]]);
    if (!equal(encode(idCredR), encode(expected))) fail("somebody else");
    const salt3e2m = await kdf(prk2e, SALT_3E2M, this.#th, HASH_BYTES);
    this.#prk3e2m = await extract(salt3e2m, await agree(ephemeral, peer.key));
    const before2 = concat(compact(identifier(cR)), encode(idCredR));
    const after2 = concat(peer.credential, encodeEad(ead2));
    this.#check(mac2, await this.#mac(this.#prk3e2m, MAC_2, before2, after2));
    this.#th = await sha256(concat(encode(this.#th), plaintext2, peer.credential));

    const salt4e3m = await kdf(this.#prk3e2m, SALT_4E3M, this.#th, HASH_BYTES);
    this.#prk4e3m = await extract(salt4e3m, await agree(self.secret, point));
    const mac3 = await this.#mac(this.#prk4e3m, MAC_3, encode(self.idCred), self.credential);
    const kid = self.idCred.get(KID);
    const plaintext3 = concat(kid ? compact(kid) : encode(self.idCred), encode(mac3));
    const { key, nonce, data } = await this.#cipher(this.#prk3e2m, K_3);
    const message3 = encode(await ccm.encrypt(key, nonce, plaintext3, data));
    this.#th = await sha256(concat(encode(this.#th), plaintext3, self.credential));
    const prkOut = await kdf(this.#prk4e3m, PRK_OUT, this.#th, HASH_BYTES);
    this.#prkExporter = await kdf(prkOut, PRK_EXPORTER, new Uint8Array(), HASH_BYTES);
    this.#next = "message 4";
    return message3;
  }

  /** The other side has verified message 3. */
  async take4(message4) {
    this.#enter("message 4");
    const { key, nonce, data } = await this.#cipher(this.#prk4e3m, K_4);
    const plaintext4 = await ccm.decrypt(key, nonce, bytesOf(message4), data);
    if (plaintext4 === null) fail("message 4 does not open");
    encodeEad(members(plaintext4, 0));
    this.#next = "nothing";
  }

  /** EDHOC_Exporter (section 4.2.1) without context; from message 3 on. */
  async export(label, length) {
    if (!this.#prkExporter) fail("nothing to export yet");
    return kdf(this.#prkExporter, label, new Uint8Array(), length);
  }

  /** Failed, unless all goes well. */
  #enter(step) {
    const expected = this.#next;
    this.#next = "nothing";
    if (step !== expected) fail(`${step} out of turn`);
  }

  #check(received, computed) {
    if (!(received instanceof Uint8Array) || !equal(received, computed)) fail("another key");
  }

  #mac(prk, label, before, after) {
    return kdf(prk, label, concat(before, encode(this.#th), after), MAC_BYTES);
  }

  async #cipher(prk, label) {
    return {
      key: await kdf(prk, label, this.#th, KEY_BYTES),
      nonce: await kdf(prk, label + 1, this.#th, ccm.NONCE_BYTES),
      data: encode(["Encrypt0", new Uint8Array(), this.#th]),
    };
  }
}

function fail(what) {
  throw new EdhocError(what);
}

/** EDHOC_KDF (section 4.1.2). */
const kdf = (prk, label, context, length) =>
  expand(prk, concat(encode(label), encode(context), encode(length)), length);

function members(message, least) {
  try {
    if (message.length > MOST_BYTES) fail("too long");
    const found = decodeSequence(message);
    return found.length < least ? fail("too short") : found;
  } catch (error) {
    throw error instanceof CborError ? new EdhocError(error.message) : error;
  }
}

/** The byte string that is all of a message 2 or 4. */
function bytesOf(message) {
  const found = members(message, 1);
  return found.length === 1 && found[0] instanceof Uint8Array ? found[0] : fail("no byte string");
}

/** A key's or connection's id as it came (section 3.3.2). */
function identifier(item) {
  if (item instanceof Uint8Array && !isSmall(item)) return item;
  if (Number.isInteger(item) && -24 <= item && item < 24) return encode(item);
  return fail("no identifier");
}

/** An id as it goes: itself, if it is the encoding of a small integer. */
const compact = (id) => (isSmall(id) ? id : encode(id));

const isSmall = (id) => id.length === 1 && (id[0] & 31) < 24 && id[0] < 0x40;

/** External authorization data (section 3.8) as it came: none is known; what is critical fails. */
function encodeEad(items) {
  let isValueNext = false;
  for (const item of items) {
    const isLabel = Number.isInteger(item) && item >= 0;
    if (!isLabel && !(item instanceof Uint8Array && isValueNext)) fail("authorization data");
    isValueNext = isLabel;
  }
  return concat(...items.map(encode));
}
