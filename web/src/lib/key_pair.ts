// SPDX-License-Identifier: Apache-2.0
// Key pairs of service accounts, made in the browser. The private key leaves it in one form only: as a file that its owner
// saves, PKCS#8 encrypted with a passphrase (RFC 5958, PBES2 of RFC 8018: PBKDF2 with HMAC-SHA256, AES-256-CBC), in the same
// parameters `chancery login` writes, so that client and module read it.
import { base64Of, pemOf } from './text';

export type KeyKind = 'p256' | 'ed25519';

export interface KeyPair {
  /** PEM, for the server. */
  publicKey: string;
  /** PEM, "ENCRYPTED PRIVATE KEY" or, without a passphrase, "PRIVATE KEY". */
  privateKey: string;
}

const iterations = 100_000;
const saltBytes = 16;
const kinds = { p256: { name: 'ECDSA', namedCurve: 'P-256' }, ed25519: { name: 'Ed25519' } } as const;

const generate = (kind: KeyKind) =>
  crypto.subtle.generateKey(kinds[kind], true, ['sign', 'verify']) as Promise<CryptoKeyPair>;

let ed25519: Promise<boolean> | undefined;
/** Older browsers make no Edwards keys. */
export function hasEd25519(): Promise<boolean> {
  ed25519 ??= generate('ed25519').then(
    () => true,
    () => false,
  );
  return ed25519;
}

// ---- DER (X.690), as much of it as is needed

function tlv(tag: number, ...parts: Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, p) => sum + p.length, 0);
  const size = length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  const made = new Uint8Array(1 + size.length + length);
  made.set([tag, ...size]);
  let at = 1 + size.length;
  for (const part of parts) {
    made.set(part, at);
    at += part.length;
  }
  return made;
}

const sequence = (...parts: Uint8Array[]) => tlv(0x30, ...parts);
const octets = (bytes: Uint8Array) => tlv(0x04, bytes);
const integer = (n: number) => {
  const bytes = [];
  for (let rest = n; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest & 0xff);
  if (bytes.length === 0 || bytes[0]! & 0x80) bytes.unshift(0);
  return tlv(0x02, Uint8Array.from(bytes));
};
const nothing = () => tlv(0x05);

function oid(text: string): Uint8Array {
  const [first, second, ...rest] = text.split('.').map(Number);
  const bytes = [first! * 40 + second!];
  for (const n of rest) {
    const digits = [n & 0x7f];
    for (let high = Math.floor(n / 128); high > 0; high = Math.floor(high / 128)) digits.unshift((high & 0x7f) | 0x80);
    bytes.push(...digits);
  }
  return tlv(0x06, Uint8Array.from(bytes));
}

const pbes2 = '1.2.840.113549.1.5.13';
const pbkdf2 = '1.2.840.113549.1.5.12';
const hmacSha256 = '1.2.840.113549.2.9';
const aes256Cbc = '2.16.840.1.101.3.4.1.42';

// ---- PKCS#8

async function encrypt(pkcs8: Uint8Array, passphrase: string): Promise<Uint8Array> {
  const salt = crypto.getRandomValues(new Uint8Array(saltBytes));
  const iv = crypto.getRandomValues(new Uint8Array(16));
  const secret = await crypto.subtle.importKey('raw', new TextEncoder().encode(passphrase), 'PBKDF2', false, [
    'deriveKey',
  ]);
  const key = await crypto.subtle.deriveKey(
    { name: 'PBKDF2', hash: 'SHA-256', salt, iterations },
    secret,
    { name: 'AES-CBC', length: 256 },
    false,
    ['encrypt'],
  );
  const sealed = await crypto.subtle.encrypt({ name: 'AES-CBC', iv }, key, pkcs8 as BufferSource);
  const derivation = sequence(
    oid(pbkdf2),
    sequence(octets(salt), integer(iterations), sequence(oid(hmacSha256), nothing())),
  );
  const scheme = sequence(oid(pbes2), sequence(derivation, sequence(oid(aes256Cbc), octets(iv))));
  return sequence(scheme, octets(new Uint8Array(sealed)));
}

/** An empty passphrase leaves the private key plain, for unattended build machines. */
export async function makeKeyPair(kind: KeyKind, passphrase: string): Promise<KeyPair> {
  const pair = await generate(kind);
  const spki = new Uint8Array(await crypto.subtle.exportKey('spki', pair.publicKey));
  const pkcs8 = new Uint8Array(await crypto.subtle.exportKey('pkcs8', pair.privateKey));
  try {
    const privateKey = passphrase
      ? pemOf(base64Of(await encrypt(pkcs8, passphrase)), 'ENCRYPTED PRIVATE KEY')
      : pemOf(base64Of(pkcs8), 'PRIVATE KEY');
    return { publicKey: pemOf(base64Of(spki), 'PUBLIC KEY'), privateKey };
  } finally {
    pkcs8.fill(0);
  }
}
