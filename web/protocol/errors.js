/**
 * What can be wrong with a code, an election, a ballot or a receipt: one class, told apart by `code`.
 *
 * Promises that `code` never changes, so that a page can choose its words by it; the message is for
 * whoever reads a log or a test. Must never carry a secret: no voting code, no private credential
 * and no choice is in a message. The codes are those of Python's `ballots/errors.py`.
 *
 * @module
 */

export class ProtocolError extends Error {
  /**
   * @param {string} code  what kind of fault it is, such as "invalid-point"
   * @param {string} message
   */
  constructor(code, message) {
    super(message);
    this.name = new.target.name;
    this.code = code;
  }
}

/** A typed voting code is not well formed: too_short, too_long, bad_character or bad_check. */
export class CodeRefused extends ProtocolError {}
