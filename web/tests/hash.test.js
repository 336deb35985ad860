/** Hashes and the spellings of bytes: one each way. */

import assert from "node:assert/strict";
import { test } from "node:test";
import * as hash from "../protocol/hash.js";

test("SHA-256 is the standard's, over UTF-8", () => {
  const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
  assert.equal(hash.sha256Hex(""), empty);
  assert.equal(hash.sha256Hex("Ŵy"), hash.sha256Hex(hash.utf8("Ŵy")));
  assert.equal(hash.digestBase64(""), "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU");
});

test("hex and Base64 lead back to the same bytes", () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, at) => at);
  assert.deepEqual(hash.readHex(hash.writeHex(bytes)), bytes);
  assert.deepEqual(hash.readBase64(hash.writeBase64(bytes)), bytes);
});

test("other spellings of hex and Base64 are refused", () => {
  for (const text of ["0", "0G", "AB", " 00", "00\n"]) assert.equal(hash.readHex(text), null);
  for (const text of ["QQ", "QR==", "Q Q==", "QQ==\n", "é"]) assert.equal(hash.readBase64(text), null);
});
