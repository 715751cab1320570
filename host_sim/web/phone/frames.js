// Messages in pieces, each numbered in its direction; docs/protocol.md has the bytes.

import { bigEndian, concat, number } from "./bytes.js";

const MOST_MESSAGE = 6400;
const MOST_PIECE = 244;
const HEAD = 2;
const LENGTH = 2;
const FIRST = 0x80;
const NUMBER = 0x7f;

/** What came is no piece, or not the next one. */
export class FrameError extends Error {}

/** Cuts the messages of one direction of a connection. */
export class Cutter {
  #number = 0;

  /** A piece of no message. */
  empty() {
    return Uint8Array.of(this.#count(), 0);
  }

  /** The pieces of a message, each of at most so many bytes. */
  cut(message, most) {
    const room = Math.min(most, MOST_PIECE) - HEAD;
    const content = concat(bigEndian(message.length, LENGTH), message);
    const pieces = [];
    for (let at = 0; at < content.length; at += room) {
      const part = content.slice(at, at + room);
      pieces.push(concat(Uint8Array.of(this.#count() | (at ? 0 : FIRST), part.length), part));
    }
    return pieces;
  }

  #count() {
    const current = this.#number;
    this.#number = (current + 1) & NUMBER;
    return current;
  }
}

/** Joins the pieces of one direction of a connection. */
export class Joiner {
  #number = 0;
  #message = null; // that is under way
  #filled = 0;

  /** The messages that one or more pieces complete. Raises FrameError. */
  join(data) {
    const done = [];
    for (let at = 0; at < data.length; ) {
      const end = at + HEAD + data[at + 1];
      if (!(end <= data.length) || (data[at] & NUMBER) !== this.#number) {
        throw new FrameError("not the next piece");
      }
      this.#number = (this.#number + 1) & NUMBER;
      let part = data.slice(at + HEAD, end);
      if (data[at] & FIRST) part = this.#begin(part);
      this.#fill(part, done);
      at = end;
    }
    return done;
  }

  #begin(part) {
    const length = number(part.slice(0, LENGTH));
    if (this.#message || part.length < LENGTH + 1 || !length || length > MOST_MESSAGE) {
      throw new FrameError("no message can begin so");
    }
    this.#message = new Uint8Array(length);
    this.#filled = 0;
    return part.slice(LENGTH);
  }

  #fill(part, done) {
    if (!this.#message && !part.length) return; // an empty piece
    if (!part.length || this.#filled + part.length > (this.#message?.length ?? 0)) {
      throw new FrameError("more or less than there was to come");
    }
    this.#message.set(part, this.#filled);
    this.#filled += part.length;
    if (this.#filled === this.#message.length) {
      done.push(this.#message);
      this.#message = null;
    }
  }
}
