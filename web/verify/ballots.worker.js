/**
 * A worker that checks batches: one answer for each message, in order.
 *
 * @module
 */

import { Hand } from "./work.js";

const hand = new Hand();

addEventListener("message", (event) => postMessage(hand.do(event.data)));
