// What the phone keeps, in IndexedDB: its key, who is logged in, and for each lock who that is,
// what it is to be brought, and what the two have in common. Private keys are CryptoKeys that no
// script can read, and so are the secrets of resumption.

import { toHex } from "./bytes.js";
import { encode } from "./cbor.js";
import { KCCS } from "./edhoc.js";
import { sha256 } from "./kdf.js";
import { newPair, publicKey } from "./p256.js";

const KID_BYTES = 8;
const STORE = "wallet";

export class Wallet {
  #database;

  /** The phone of this browser, with a new key if it has none. */
  static async open() {
    const wallet = new Wallet();
    const request = indexedDB.open("sharelock", 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    wallet.#database = await done(request);
    await wallet.load();
    if (!wallet.phone) {
      const pair = await newPair();
      const { claims, credential } = await credentialOf(pair.point);
      wallet.phone = { ...pair, credential, idCred: new Map([[KCCS, claims]]) };
      await wallet.save();
    }
    return wallet;
  }

  /** Read it again: another tab may have been at a door. */
  async load() {
    const kept = await this.#get("all");
    // `phone` is the key; `account` has email, token, and the id of the phone at the cloud.
    ({ phone: this.phone, account: this.account, locks: this.locks } = kept ?? {
      phone: null,
      account: null,
      locks: new Map(),
    });
  }

  /** Write all of it. */
  save() {
    const { phone, account, locks } = this;
    return this.#put({ phone, account, locks }, "all");
  }

  /**
   * What lets the phone in without a handshake: a `secret`, null if nothing does, and `save`.
   *
   * For whoever is at a door, alone of all tabs. It is kept apart, so that nobody who saves the
   * rest brings an older one back: no step may be taken twice.
   */
  async stepsTo(lock) {
    const key = toHex(lock.kid);
    const steps = { secret: (await this.#get(key)) ?? null };
    steps.save = () => this.#put(steps.secret, key);
    return steps;
  }

  /** The lock with an id and a key, 64 bytes; with another key than before it is another lock. */
  async know(id, point) {
    const before = this.locks.get(id);
    if (before && String(before.point) === String(point)) return before;
    const { kid, credential } = await credentialOf(point);
    const lock = { id, point, kid, credential, key: await publicKey(point) };
    // Statements to be brought at once; news that can wait, and the cloud's word for the log that
    // it got; pieces of the log for the cloud, and the entry after which the last one begins; the
    // newest grant that the lock took; how it was when the phone was there last; and the id that the
    // browser gave its radio then.
    Object.assign(lock, { statements: [], news: [], receipt: [], carried: [], carriedAfter: null });
    Object.assign(lock, { grant: "", seen: null, radio: "" });
    this.locks.set(id, lock);
    return lock;
  }

  /** Forget all of it, the key too. */
  async erase() {
    await done(this.#database.transaction(STORE, "readwrite").objectStore(STORE).clear());
  }

  #get(key) {
    return done(this.#database.transaction(STORE).objectStore(STORE).get(key));
  }

  /** It is on the disk when this is done. */
  async #put(value, key) {
    const transaction = this.#database.transaction(STORE, "readwrite", { durability: "strict" });
    transaction.objectStore(STORE).put(value, key);
    await new Promise((resolve, reject) => {
      transaction.oncomplete = resolve;
      transaction.onabort = () => reject(transaction.error);
    });
  }
}

/** A key's id, and the claims set by which the other side knows the key, encoded and not. */
export async function credentialOf(point) {
  const [x, y] = [point.slice(0, 32), point.slice(32)];
  const parameters = [[1, 2], [-1, 1], [-2, x], [-3, y]]; // a COSE_Key: EC2, P-256
  // The start of its thumbprint (RFC 9679).
  const kid = (await sha256(encode(new Map(parameters)))).slice(0, KID_BYTES);
  const key = new Map([...parameters, [2, kid]]);
  const claims = new Map([[8, new Map([[1, key]])]]);
  return { kid, claims, credential: encode(claims) };
}

const done = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
