/**
 * The trustees' keys: each alone needed, or a committee of which some are enough.
 *
 * Promises that whoever stands behind a key proved to know its private part, that a committee's keys
 * are those that its signed commitments give, and that the election's key is made of all of them.
 *
 * Source: Belenios 3.3 specification, "Verification keys", "Signing", "Certificates", "Polynomials",
 * "Voutputs", "Threshold parameters", "Trustees", "Election result" (the combination of factors).
 *
 * @module
 */

import { IDENTITY, ORDER, multiplyPublic, reduce, writePoint } from "../protocol/group.js";
import { GROUP } from "./election.js";
import { Fault, demand } from "./faults.js";
import { Ladder } from "./ladder.js";
import { demandKnowledge, readProof } from "./proofs.js";
import { array, natural, readCompact, readCompactText, record, text, write } from "./strict-json.js";

/** @typedef {import("../protocol/group.js").Point} Point */
/** @typedef {import("./strict-json.js").Json} Json */
/** @typedef {{text: string, ladder: Ladder}} Key */
/**
 * Keys of which `threshold` together decrypt; one trustee alone is a committee of one.
 *
 * @typedef {{public: Point, keys: Key[], threshold: number}} Committee
 */

/** Far above any real election's: made-up ones could keep a verifier busy for years. */
const MAX_TRUSTEES = 200;

/**
 * Return the committees, all of which together make the election's key.
 *
 * @param {Uint8Array} raw
 * @param {Point} key
 * @returns {Committee[]}
 */
export function readTrustees(raw, key) {
  const values = array(readCompact(raw));
  demandFew(values);
  const committees = values.map(readKind);
  // Where one member is enough, each of them holds the whole key: theirs are one by right.
  const own = committees.flatMap(({ threshold, keys }) =>
    threshold === 1 ? keys.slice(0, 1) : keys,
  );
  const areOwn = new Set(own.map((one) => one.text)).size === own.length;
  demand(areOwn, "trustees-refused", "one key for two trustees");
  const together = sum(committees.map((committee) => committee.public));
  demand(together.equals(key), "trustees-refused", "they don't make the election's key");
  return committees;
}

/**
 * Return each committee's factors, slot after slot, from those of its members who decrypted.
 *
 * Members are numbered from 1 through all committees. Throws a Fault if too few decrypted.
 *
 * @param {Committee[]} committees
 * @param {Map<number, Ladder[]>} byOwner
 * @returns {Point[][]}
 */
export function combineFactors(committees, byOwner) {
  let first = 1;
  return committees.map(({ keys, threshold }) => {
    /** @type {Map<number, Ladder[]>} */
    const present = new Map();
    for (const at of keys.keys()) {
      const factors = byOwner.get(first + at);
      if (factors) present.set(at + 1, factors);
    }
    demand(present.size >= threshold, "not-enough-decryptions", `of those from trustee ${first} on`);
    first += keys.length;
    return interpolated(present);
  });
}

/**
 * Return the factors at 0 of the polynomial whose values at some places are given.
 *
 * @param {Map<number, Ladder[]>} present
 */
function interpolated(present) {
  const places = [...present.keys()];
  const weighed = [...present].map(([place, factors]) => {
    const weight = lagrange(place, places);
    return factors.map((factor) => factor.times(weight));
  });
  const [slots = []] = weighed;
  return slots.map((_, slot) => sum(weighed.map((factors) => factors[slot] ?? IDENTITY)));
}

/**
 * @param {number} place
 * @param {number[]} places
 */
function lagrange(place, places) {
  return places
    .filter((other) => other !== place)
    .reduce((product, other) => reduce(product * BigInt(other) * inverse(BigInt(other - place))), 1n);
}

/**
 * Return what a number other than 0 is multiplied by to give 1, modulo the order, which is prime.
 *
 * @param {bigint} number
 */
function inverse(number) {
  let [result, square] = [1n, reduce(number)];
  for (let rest = ORDER - 2n; rest > 0n; rest /= 2n) {
    if (rest % 2n === 1n) result = reduce(result * square);
    square = reduce(square * square);
  }
  return result;
}

/** @param {Json[]} values */
function demandFew(values) {
  // Together, before the arithmetic, which grows with the square of a committee's size.
  const sizes = values.map((value) => {
    const content = array(value, 2)[1];
    const certificates = content instanceof Map ? content.get("certs") : undefined;
    return Array.isArray(certificates) ? certificates.length : 1;
  });
  const size = sizes.reduce((total, one) => total + one, 0);
  demand(size <= MAX_TRUSTEES, "trustees-refused", `${size} trustees`);
}

/** @param {Json} value @returns {Committee} */
function readKind(value) {
  const [kind, content] = array(value, 2);
  if (kind === "Single") {
    const key = readKey(record(content, "pok", "public_key", "?name"));
    return { public: key.ladder.point, keys: [key], threshold: 1 };
  }
  if (kind === "Pedersen") return readCommittee(content);
  throw new Fault("unsupported", "another kind of trustees");
}

/**
 * Return a public key whose private part its maker knows.
 *
 * @param {Record<string, Json>} fields
 * @returns {Key}
 */
function readKey(fields) {
  const ladder = readOwnPoint(fields.public_key);
  const spelled = text(fields.public_key);
  demandKnowledge(ladder, readProof(fields.pok), `pok|${GROUP}|${spelled}|`);
  return { text: spelled, ladder };
}

/** @param {Json | undefined} content @returns {Committee} */
function readCommittee(content) {
  const names = ["threshold", "certs", "coefexps", "signatures", "verification_keys"];
  const fields = record(content, ...names);
  const size = array(fields.certs).length;
  const threshold = natural(fields.threshold);
  demand(1 <= threshold && threshold <= size, "trustees-refused", `${threshold} of ${size}`);
  const signers = readCertificates(array(fields.certs), threshold);
  const commitments = array(fields.coefexps, size).map((value, at) =>
    readCommitments(value, keyOf(signers, at), threshold),
  );
  for (const [at, proof] of array(fields.signatures, size).entries()) {
    const coefexps = (commitments[at] ?? []).map(writePoint);
    const approved = write(new Map([["certs", fields.certs ?? null], ["coefexps", coefexps]]));
    demandSigned(keyOf(signers, at), `certs_sig|${approved}`, proof);
  }
  // Of the sum of all members' polynomials, which nobody knows.
  const together = Array.from({ length: threshold }, (_, degree) =>
    sum(commitments.map((coefficients) => coefficients[degree] ?? IDENTITY)),
  );
  const keys = array(fields.verification_keys, size).map((value, at) =>
    readMemberKey(value, keyOf(signers, at), valueAt(at + 1, together)),
  );
  return { public: valueAt(0, together), keys, threshold };
}

/**
 * Return with which keys the members sign; each signed a certificate for a seat of its own.
 *
 * @param {Json[]} certificates
 * @param {number} threshold
 */
function readCertificates(certificates, threshold) {
  const size = certificates.length;
  const read = certificates.map((value, at) =>
    readCertificate(value, { group: GROUP, size, threshold, index: at + 1 }),
  );
  for (const use of /** @type {const} */ (["signs", "encrypts"])) {
    const seats = new Set(read.map((certificate) => certificate[use]));
    demand(seats.size === size, "trustees-refused", "one key in two seats of a committee");
  }
  return read.map(({ signer }) => signer);
}

/**
 * @param {Json} value
 * @param {Record<string, string | number>} context
 */
function readCertificate(value, context) {
  const { message, proof } = readSignedText(value);
  const fields = record(readCompactText(message), "context", "verification", "encryption");
  const isOfSeat = write(fields.context ?? null) === JSON.stringify(context);
  demand(isOfSeat, "trustees-refused", "a certificate of another seat");
  readOwnPoint(fields.encryption);
  const signer = readOwnPoint(fields.verification);
  demandSigned(signer, message, proof);
  return { signer, signs: text(fields.verification), encrypts: text(fields.encryption) };
}

/**
 * Return the signed commitments to the coefficients of one trustee's polynomial.
 *
 * @param {Json} value
 * @param {Ladder} signer
 * @param {number} threshold
 */
function readCommitments(value, signer, threshold) {
  const { message, proof } = readSignedText(value);
  demandSigned(signer, message, proof);
  const { coefexps } = record(readCompactText(message), "coefexps");
  return array(coefexps, threshold).map((one) => Ladder.read(one).point);
}

/**
 * @param {Json} value
 * @param {Ladder} signer
 * @param {Point} expected
 */
function readMemberKey(value, signer, expected) {
  const fields = record(value, "pok", "public_key", "signature", "?name");
  const key = readKey(fields);
  const isExpected = key.ladder.point.equals(expected);
  demand(isExpected, "trustees-refused", "a key that isn't the one that the commitments give");
  demandSigned(signer, key.text, fields.signature);
  return key;
}

/**
 * Return g to the value of a polynomial, from g to each of its coefficients.
 *
 * @param {number} place
 * @param {Point[]} coefficients  the lowest first
 */
function valueAt(place, coefficients) {
  return coefficients.reduceRight((value, one) => multiplyPublic(value, BigInt(place)).add(one));
}

/** @param {Json} value */
function readSignedText(value) {
  const { message, signature } = record(value, "message", "signature");
  return { message: text(message), proof: signature };
}

/**
 * @param {Ladder} signer
 * @param {string} message
 * @param {Json | undefined} proof
 */
function demandSigned(signer, message, proof) {
  demandKnowledge(signer, readProof(proof), `sigmsg|${message}|`);
}

/** @param {Json | undefined} value */
function readOwnPoint(value) {
  const ladder = Ladder.read(value);
  demand(!ladder.point.is0(), "invalid-point", "the identity where a key must stand");
  return ladder;
}

/** @param {Ladder[]} keys @param {number} at */
function keyOf(keys, at) {
  return /** @type {Ladder} */ (keys[at]);
}

/** @param {Point[]} points */
function sum(points) {
  return points.reduce((total, point) => total.add(point), IDENTITY);
}
