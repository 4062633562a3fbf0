// The time that is left, by the server's clock.

export class Clock {
  #element; #endsAt = null;

  constructor(element) {
    this.#element = element;
    setInterval(() => this.#show(), 1000);
  }

  /** Both in the server's time, ms. */
  set(serverTimeMs, endsAtMs) {
    this.#endsAt = performance.now() + endsAtMs - serverTimeMs;
    this.#show();
  }

  stop() {
    this.#endsAt = null;
    this.#show();
  }

  #show() {
    this.#element.textContent = this.#endsAt === null ? "" : left(this.#endsAt - performance.now());
  }
}

/** Milliseconds -> words. */
export function left(ms) {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  const minutes = Math.floor(seconds / 60);
  const rest = String(seconds % 60).padStart(2, "0");
  return minutes >= 5 ? `${Math.ceil(seconds / 60)} min left` : `${minutes}:${rest} left`;
}
