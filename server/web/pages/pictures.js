// The others' pictures and sound, a place each: shown and heard only while the call is live and pictures come.

const LOOK_MS = 400;
/** A picture that stands still for so long is taken away: it would look like one that is live. */
const OLD_MS = 1500;

export class Pictures {
  #place; #nobody; #others = []; #live = false; #states = new Map();

  /** `place`: the element for the pictures; `nobody`: the one that says that there is none. */
  constructor(place, nobody) {
    this.#place = place;
    this.#nobody = nobody;
    setInterval(() => this.#look(), LOOK_MS);
  }

  /** What a new connection brings, a stream for each other leg, named by its id. */
  use(streams) {
    this.#place.replaceChildren();
    this.#others = streams.map((stream, n) => {
      const video = document.createElement("video");
      video.autoplay = video.playsInline = true;
      video.muted = true;
      video.hidden = true;
      video.srcObject = stream;
      video.setAttribute("aria-label", streams.length > 1 ? `Picture ${n + 1}` : "Picture of the other side");
      this.#place.append(video);
      return { video, leg: stream.id, frames: -1, grewAt: -OLD_MS };
    });
    this.#apply();
  }

  /** Off: blank and silent at once, whatever is still on its way or in the player's buffer. */
  live(on) {
    if (on === this.#live) return;
    this.#live = on;
    for (const other of this.#others) other.grewAt = -OLD_MS;
    this.#apply();
  }

  /** What staff let through, of LegStates: each leg's { leg, here, sound, picture }. */
  allow(states) {
    this.#states = new Map(states.map(state => [state.leg, state]));
    for (const other of this.#others) if (!this.#may(other, "picture")) other.grewAt = -OLD_MS;
    this.#apply();
  }

  #may(other, what) {
    const state = this.#states.get(other.leg);
    return this.#live && (!state || (state.here && state[what]));
  }

  /** Sound may need a press of a button first; false when it still does. */
  async play() {
    const started = await Promise.allSettled(this.#others.map(other => other.video.play()));
    return started.every(one => one.status === "fulfilled" || one.reason.name !== "NotAllowedError");
  }

  #look() {
    const now = performance.now();
    for (const other of this.#others) {
      const frames = other.video.getVideoPlaybackQuality().totalVideoFrames;
      if (frames > other.frames && other.frames >= 0) other.grewAt = now;
      other.frames = frames;
    }
    this.#apply();
  }

  #apply() {
    const now = performance.now();
    for (const other of this.#others) {
      other.video.muted = !this.#may(other, "sound");
      other.video.hidden = !this.#may(other, "picture") || now - other.grewAt > OLD_MS;
    }
    this.#nobody.hidden = this.#others.some(other => !other.video.hidden);
  }
}
