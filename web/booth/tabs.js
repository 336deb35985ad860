/**
 * One sealed ballot, one tab: browsers copy tabs and bring closed ones back, with what they kept.
 *
 * Promises that of all tabs of this browser which hold the same sealed ballot one alone has it in
 * hand, as long as that one is open, and that all others hear when it was dropped (opened for an
 * audit, or sealed anew). Where the browser lacks the means, the ballot is in hand: `votes` counts it
 * once in any case. Must never tell more than a tracker.
 *
 * @module
 */

/** For how long a page that is just going away may still hold it (ms). */
const PATIENCE_MS = 1_500;

export class Tabs {
  /**
   * @param {object} given
   * @param {Pick<LockManager, "request"> | undefined} given.locks
   * @param {Pick<BroadcastChannel, "postMessage" | "addEventListener"> | null} given.channel
   * @param {(tracker: string) => void} given.dropped  another tab won't ever cast this one
   */
  constructor({ locks, channel, dropped }) {
    this.#locks = locks;
    this.#channel = channel;
    channel?.addEventListener("message", ({ data }) => dropped(String(data)));
  }

  #locks;
  #channel;

  /**
   * Take a ballot in hand until this page is gone; false where another tab has it.
   *
   * @param {string} tracker
   * @returns {Promise<boolean>}
   */
  claim(tracker) {
    const { promise, resolve } = withResolvers();
    const held = this.#locks?.request(
      `castonce-ballot-${tracker}`,
      { signal: AbortSignal.timeout(PATIENCE_MS) },
      () => {
        resolve(true);
        return new Promise(() => undefined); // until the page is gone
      },
    );
    held === undefined ? resolve(true) : held.catch(() => resolve(false));
    return promise;
  }

  /** Let all other tabs drop a ballot, too. @param {string} tracker */
  drop(tracker) {
    this.#channel?.postMessage(tracker);
  }
}

function withResolvers() {
  /** @type {(isOurs: boolean) => void} */
  let resolve = () => undefined;
  const promise = /** @type {Promise<boolean>} */ (new Promise((done) => (resolve = done)));
  return { promise, resolve };
}

/**
 * Return the channel between this browser's tabs of one election; null where there is none.
 *
 * @param {string} electionId
 */
export function tabChannel(electionId) {
  return "BroadcastChannel" in globalThis ? new BroadcastChannel(`castonce-${electionId}`) : null;
}
