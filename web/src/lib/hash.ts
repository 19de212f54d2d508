// SPDX-License-Identifier: Apache-2.0
// Hashing of files in the browser. Small ones by WebCrypto, which wants all bytes at once; others piece by piece, so that a
// file of any size needs a few MB of memory. Nothing leaves the browser.
import { sha256, sha384, sha512 } from '@noble/hashes/sha2.js';
import { hexOf } from './text';

export type FileHash = 'sha256' | 'sha384' | 'sha512';
export const fileHashes: FileHash[] = ['sha256', 'sha384', 'sha512'];

const webCryptoMost = 32 * 1024 * 1024;
const piece = 1024 * 1024;
const webCryptoName = { sha256: 'SHA-256', sha384: 'SHA-384', sha512: 'SHA-512' };
const streaming = { sha256, sha384, sha512 };

export async function hashBytes(bytes: Uint8Array, hash: FileHash): Promise<string> {
  return hexOf(new Uint8Array(await crypto.subtle.digest(webCryptoName[hash], bytes as BufferSource)));
}

interface Watch {
  signal: AbortSignal;
  /** Bytes done since the last call. */
  done: (bytes: number) => void;
}

/** The digests of one blob, which is read once. Rejects with an AbortError when it is cancelled. */
export async function hashBlob(blob: Blob, hashes: FileHash[], watch: Watch): Promise<Record<FileHash, string>> {
  const made = {} as Record<FileHash, string>;
  if (blob.size <= webCryptoMost) {
    const bytes = new Uint8Array(await blob.arrayBuffer());
    watch.signal.throwIfAborted();
    for (const hash of hashes) made[hash] = await hashBytes(bytes, hash);
    watch.done(blob.size);
    return made;
  }
  const states = hashes.map((h) => streaming[h].create());
  for (let at = 0; at < blob.size; at += piece) {
    const bytes = new Uint8Array(await blob.slice(at, at + piece).arrayBuffer());
    watch.signal.throwIfAborted();
    for (const state of states) state.update(bytes);
    watch.done(bytes.length);
    // The page stays alive: a click on "Cancel" is heard between two pieces.
    await new Promise((resolve) => setTimeout(resolve));
  }
  hashes.forEach((hash, i) => (made[hash] = hexOf(states[i]!.digest())));
  return made;
}

const lengths: Record<number, string[]> = {
  40: ['sha1'],
  56: ['sha224', 'sha3-224'],
  64: ['sha256', 'sha3-256'],
  96: ['sha384', 'sha3-384'],
  128: ['sha512', 'sha3-512'],
};
/** Hashes whose digests have this many hexadecimal digits. */
export const hashesOfLength = (digits: number) => lengths[digits] ?? [];

/** The digest in a pasted text: with colons, spaces, capitals, or a line of sha256sum. null when there is none. */
export function digestOf(text: string): string | null {
  const first = text.trim().toLowerCase();
  const line = /^\\?([0-9a-f]{40,128})\s+\*?\S/.exec(first);
  const digest = line && lengths[line[1]!.length] ? line[1]! : first.replace(/^sha\d+[:=(]?/, '').replace(/[\s:]/g, '');
  return /^[0-9a-f]+$/.test(digest) && lengths[digest.length] ? digest : null;
}
