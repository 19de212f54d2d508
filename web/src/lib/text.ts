// SPDX-License-Identifier: Apache-2.0
// Small texts.

const numbers = new Intl.NumberFormat();
export const number = (n: number) => numbers.format(n);
export const plural = (n: number, one: string, many = `${one}s`) => `${number(n)} ${n === 1 ? one : many}`;
/** "rsa_pkcs1" is for machines. */
export const human = (word: string) =>
  word.replace(/[_.]/g, ' ').replace(/\b(api|ca|cka|crl|csr|hsm|ocsp|tls|totp|tsa)\b/g, (short) => short.toUpperCase());
export const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

const names: Record<string, string> = {
  rsa2048: 'RSA 2048',
  rsa3072: 'RSA 3072',
  rsa4096: 'RSA 4096',
  p256: 'ECDSA P-256',
  p384: 'ECDSA P-384',
  p521: 'ECDSA P-521',
  ed25519: 'Ed25519',
  rsa_pkcs1: 'RSA PKCS #1 v1.5',
  rsa_pss: 'RSA PSS',
  ecdsa: 'ECDSA',
  eddsa: 'EdDSA',
  sha1: 'SHA-1',
  sha224: 'SHA-224',
  sha256: 'SHA-256',
  sha384: 'SHA-384',
  sha512: 'SHA-512',
  'sha3-224': 'SHA3-224',
  'sha3-256': 'SHA3-256',
  'sha3-384': 'SHA3-384',
  'sha3-512': 'SHA3-512',
  service_account: 'service account',
};
/** Key types, mechanisms and hashes as people write them. */
export const nameOf = (word: string) => names[word] ?? human(word);

export function bytesOf(base64: string): Uint8Array {
  return Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
}
export const base64Of = (bytes: Uint8Array) => btoa(String.fromCharCode(...bytes));
export const hexOf = (bytes: Uint8Array) => Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('');

export function pemOf(base64: string, label: string): string {
  return `-----BEGIN ${label}-----\n${base64.match(/.{1,64}/g)!.join('\n')}\n-----END ${label}-----\n`;
}

/** The certificates of a PEM text, each as DER in base64. */
export function derOfPem(pem: string): string[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((b) => b.replace(/-----[^-]+-----|\s/g, ''));
}

/** Gives the person a file; nothing leaves the browser. */
export function download(name: string, content: string | Blob, type = 'text/plain') {
  const url = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
