// This device's media connection with the laptop in the room: offered, answered, watched, made again when it is lost.

import { PICTURES_PER_S } from "./camera.js";
import { pause, soon } from "./signalling.js";

const BITS_PER_S = 1_000_000;
const GATHER_MS = 1500;
const ANSWER_MS = 10_000;
/** A connection that says nothing for so long is made again; browsers themselves wait up to 30 s. */
const DISCONNECTED_MS = 4000;
/** Every second picture is one that no other rests on: the laptop decodes it only when it shows just that one. */
const LAYERS = "L1T3";
const CODECS = { audio: ["audio/opus"], video: ["video/vp8", "video/rtx"] };

/**
 * `keep(stream)` until `end()`. `slots`: how many others there can be. `shown.others(streams)`: what comes from them, a
 * stream each whose id is the other's leg, anew with each connection; `shown.media(state)`: "connecting", "connected" or
 * "lost"; `shown.refused(words)`.
 */
export class Leg {
  #signalling; #shown; #connection = null; #offer = null; #again = () => {}; #over = false;

  constructor(signalling, shown) {
    this.slots = 1;
    this.#signalling = signalling;
    this.#shown = shown;
  }

  async keep(stream) {
    while (!this.#over) {
      await this.#signalling.welcomed();
      if (this.#over) return;
      this.#shown.media("connecting");
      const connection = this.#connection = this.#open(stream);
      const lost = this.#loss(connection);
      if (await this.#agree(connection) && await within(ANSWER_MS, up(connection, lost))) {
        this.#shown.media("connected");
        await lost;
        this.#shown.media("lost");
      }
      connection.close();
      this.#connection = null;
      if (!this.#over) await soon();
    }
  }

  end() {
    this.#over = true;
    this.#again();
    this.#settle(null);
    if (this.#connection) this.#connection.close();
  }

  /** Answer or OfferRefused. A refusal of the offer that is in use means that the laptop has forgotten it. */
  take(message) {
    if (!this.#offer || this.#offer.id !== message.offer_id) return;
    if (this.#offer.settle) this.#settle(message);
    else if (message.kind === "OfferRefused") this.#again();
  }

  /** An offer without its answer is lost with the link. */
  signallingLost() {
    this.#settle(null);
  }

  #settle(message) {
    if (this.#offer && this.#offer.settle) this.#offer.settle(message);
  }

  #open(stream) {
    const connection = new RTCPeerConnection({ iceServers: [], bundlePolicy: "max-bundle" });
    const picture = { maxBitrate: BITS_PER_S, maxFramerate: PICTURES_PER_S, scalabilityMode: LAYERS };
    for (let slot = 0; slot < this.slots; slot++) {
      for (const kind of ["audio", "video"]) {
        const own = slot ? null : stream.getTracks().find(track => track.kind === kind);
        const transceiver = connection.addTransceiver(own || kind, {
          direction: own ? "sendrecv" : "recvonly",
          streams: own ? [stream] : [],
          sendEncodings: own && kind === "video" ? [picture] : [],
        });
        const known = RTCRtpReceiver.getCapabilities(kind).codecs;
        transceiver.setCodecPreferences(known.filter(codec => CODECS[kind].includes(codec.mimeType.toLowerCase())));
      }
    }
    return connection;
  }

  /** Offers until there is an answer; false when a new connection is needed. */
  async #agree(connection) {
    await connection.setLocalDescription();
    await gathered(connection);
    for (;;) {
      const message = await this.#ask(connection.localDescription.sdp);
      if (this.#over || !message) return false;
      if (message.kind === "Answer") return this.#accepted(connection, message.sdp);
      this.#shown.refused(message.reason);
      if (!message.retry) {
        await pause(ANSWER_MS);
        return false;
      }
      await soon();
    }
  }

  async #accepted(connection, sdp) {
    const streams = new Map();
    connection.ontrack = ({ track, streams: [named], transceiver }) => {
      const id = named ? named.id : transceiver.mid;
      if (!streams.has(id)) streams.set(id, named || new MediaStream());
      if (!named) streams.get(id).addTrack(track);
    };
    try {
      await connection.setRemoteDescription({ type: "answer", sdp });
    } catch {
      return false;
    }
    this.#shown.others([...streams.values()]);
    return true;
  }

  #ask(sdp) {
    return new Promise(resolve => {
      const id = crypto.randomUUID();
      const timer = setTimeout(() => this.#settle(null), ANSWER_MS);
      this.#offer = {
        id,
        settle: message => {
          clearTimeout(timer);
          this.#offer.settle = null;
          resolve(message);
        },
      };
      if (!this.#signalling.send("Offer", { offer_id: id, sdp })) this.#settle(null);
    });
  }

  /** Done when this connection is of no more use. */
  #loss(connection) {
    return new Promise(resolve => {
      let timer = null;
      this.#again = resolve;
      connection.addEventListener("connectionstatechange", () => {
        clearTimeout(timer);
        const state = connection.connectionState;
        if (state === "failed" || state === "closed") resolve();
        else if (state === "disconnected") timer = setTimeout(resolve, DISCONNECTED_MS);
      });
    });
  }
}

function gathered(connection) {
  return within(GATHER_MS, new Promise(resolve => {
    const look = () => connection.iceGatheringState === "complete" && resolve(true);
    connection.addEventListener("icegatheringstatechange", look);
    look();
  }));
}

function up(connection, lost) {
  return new Promise(resolve => {
    const look = () => connection.connectionState === "connected" && resolve(true);
    connection.addEventListener("connectionstatechange", look);
    lost.then(() => resolve(false));
    look();
  });
}

/** What comes of it, or false after so long. */
const within = (ms, promise) => Promise.race([promise, pause(ms).then(() => false)]);
