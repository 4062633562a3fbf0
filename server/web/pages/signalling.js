// The page's websocket with the server: says hello, hands messages over, comes back by itself while the call goes on.

import { fromFrame, toFrame } from "./messages.js";
import { CLOSE, PROTOCOL } from "./wire.js";

const RETRY_MS = [300, 1000];
const OPEN_MS = 8000;
/** After a refusal that may not last: too many links, another device that has this call open. */
const REFUSED_MS = 3000;
const FINAL = new Set([
  CLOSE.PROTOCOL_VERSION, CLOSE.NOT_UNDERSTOOD, CLOSE.WRONG_KIND, CLOSE.NOT_RECOGNISED, CLOSE.CALL_OVER,
]);

export const pause = ms => new Promise(resolve => setTimeout(resolve, ms));
export const soon = () => pause(RETRY_MS[0] + Math.random() * (RETRY_MS[1] - RETRY_MS[0]));

/**
 * `listener.message(message)` for each that comes in, `listener.lost(words)` when the link is cut or was not taken, with
 * the server's reason, `listener.refused(words)` when it says for good that this token has no place here.
 */
export class Signalling {
  #url; #token; #listener; #socket = null; #welcomed = false; #waiting = []; #over = false;

  constructor(url, token, listener) {
    this.#url = url;
    this.#token = token;
    this.#listener = listener;
    // A line that is back is used at once, and one that has gone is not waited for.
    for (const change of ["online", "offline"]) addEventListener(change, () => this.reconnect());
  }

  async run() {
    while (!this.#over) {
      const closed = await this.#converse();
      this.#socket = null;
      this.#welcomed = false;
      if (FINAL.has(closed.code)) {
        this.#over = true;
        this.#listener.refused(closed.reason);
      } else if (!this.#over) {
        this.#listener.lost(closed.reason);
        await (closed.reason ? pause(REFUSED_MS) : soon());
      }
    }
  }

  /** The close event of one link, from its opening to its end. */
  #converse() {
    return new Promise(resolve => {
      const socket = new WebSocket(this.#url);
      const tooLate = setTimeout(() => socket.close(), OPEN_MS);
      socket.binaryType = "arraybuffer";
      socket.onopen = () => {
        this.#socket = socket;
        socket.send(toFrame("PeerHello", { protocol: PROTOCOL, token: this.#token }));
      };
      socket.onmessage = event => {
        if (this.#over || typeof event.data === "string") return;
        const message = fromFrame(new Uint8Array(event.data));
        if (!message) return;
        if (message.kind === "PeerWelcome") {
          clearTimeout(tooLate);
          this.#welcomed = true;
          for (const go of this.#waiting.splice(0)) go();
        }
        this.#listener.message(message);
      };
      socket.onclose = event => {
        clearTimeout(tooLate);
        resolve(event);
      };
    });
  }

  /** Done when the server has accepted the hello: at once, or after the next one. */
  welcomed() {
    return this.#welcomed ? Promise.resolve() : new Promise(resolve => this.#waiting.push(resolve));
  }

  /** False when there is no link at the moment. */
  send(name, values = {}) {
    if (!this.#welcomed || this.#socket.readyState !== WebSocket.OPEN) return false;
    this.#socket.send(toFrame(name, values));
    return true;
  }

  /** Gives this link up and makes another. */
  reconnect() {
    if (this.#socket) this.#socket.close();
  }

  end() {
    this.#over = true;
    this.reconnect();
  }
}
