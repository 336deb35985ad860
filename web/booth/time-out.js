/**
 * When a visit ends by itself: warns two minutes before, and may be put off as often as one likes.
 *
 * Promises a warning before the end (WCAG 2.2.1), also after the device has slept, when both may
 * have come at once: then the visit ends, for nobody was there. Knows nothing of what ends.
 *
 * @module
 */

const LOOK_EVERY_MS = 1_000;
const WARN_BEFORE_MS = 120_000;
const END_BEFORE_MS = 5_000;

/** How long something typed lies in the page untouched, before any permit says how long (ms). */
const IDLE_MS = 900_000;

/** When the page was last touched. */
export class Idle {
  /** @param {() => number} nowMs */
  constructor(nowMs) {
    this.#nowMs = nowMs;
    this.#sinceMs = nowMs();
  }

  #nowMs;
  #sinceMs;

  /** Somebody is there. */
  touch() {
    this.#sinceMs = this.#nowMs();
  }

  /** When it has been left alone for too long (Unix ms). */
  get endsAtMs() {
    return this.#sinceMs + IDLE_MS;
  }
}

export class TimeOut {
  /**
   * @param {object} given
   * @param {() => number | null} given.endsAtMs  when what is held ends (Unix ms); null: nothing is
   * @param {(endsAtMs: number) => void} given.warn
   * @param {() => void} given.end
   */
  constructor({ endsAtMs, warn, end }) {
    this.#endsAtMs = endsAtMs;
    this.#warn = warn;
    this.#end = end;
  }

  #endsAtMs;
  #warn;
  #end;
  #isStarted = false;
  #warnedOf = 0;

  /** Look at the clock from here on. */
  start() {
    if (!this.#isStarted) {
      this.#isStarted = true;
      setInterval(() => this.look(Date.now()), LOOK_EVERY_MS);
    }
  }

  /** Warn or end, if it is time. @param {number} nowMs */
  look(nowMs) {
    const endsAtMs = this.#endsAtMs();
    if (endsAtMs === null) {
      return;
    }
    const leftMs = endsAtMs - nowMs;
    if (leftMs < END_BEFORE_MS) {
      this.#end();
    } else if (leftMs < WARN_BEFORE_MS && this.#warnedOf !== endsAtMs) {
      this.#warnedOf = endsAtMs;
      this.#warn(endsAtMs - END_BEFORE_MS);
    }
  }
}
