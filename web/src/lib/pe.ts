// SPDX-License-Identifier: Apache-2.0
// Windows executables (PE/COFF) and their signatures (Authenticode). What a signer signs there is not the file: it is a short
// list of attributes, which names the digest of the file without its signature. Both are found here, so that a signed file can
// be looked up in a log of signatures. Bad input is answered with null, never with an exception.
import { oid, read, type Node } from './der';
import { hexOf } from './text';

/** Offsets of what the digest of a PE leaves out. */
export interface PeParts {
  /** Of the four bytes of the checksum. */
  checksum: number;
  /** Of the eight bytes that tell where the signatures are. */
  certificateEntry: number;
  /** The signatures; both 0 in a file that has none. */
  table: { offset: number; size: number };
}

const headMost = 64 * 1024;
const tableMost = 16 * 1024 * 1024;

export async function peParts(file: Blob): Promise<PeParts | null> {
  const head = new DataView(await file.slice(0, headMost).arrayBuffer());
  try {
    if (head.getUint16(0) !== 0x4d5a) return null; // "MZ"
    const pe = head.getUint32(0x3c, true);
    if (head.getUint32(pe) !== 0x50450000) return null; // "PE"
    const optional = pe + 24;
    const magic = head.getUint16(optional, true);
    if (magic !== 0x10b && magic !== 0x20b) return null;
    const directories = optional + (magic === 0x10b ? 96 : 112);
    if (head.getUint32(directories - 4, true) < 5) return null;
    const certificateEntry = directories + 4 * 8;
    const table = { offset: head.getUint32(certificateEntry, true), size: head.getUint32(certificateEntry + 4, true) };
    if (table.size > 0 && (table.offset < certificateEntry + 8 || table.offset + table.size > file.size)) return null;
    return { checksum: optional + 64, certificateEntry, table };
  } catch {
    return null; // shorter than its headers say
  }
}

/** What the Authenticode digest is made of. An unsigned file counts with the zeros that signing would append. */
export function authenticodeContent(file: Blob, parts: PeParts): Blob {
  const isSigned = parts.table.size > 0;
  const end = isSigned ? parts.table.offset : file.size;
  const content: BlobPart[] = [
    file.slice(0, parts.checksum),
    file.slice(parts.checksum + 4, parts.certificateEntry),
    file.slice(parts.certificateEntry + 8, end),
  ];
  if (isSigned) content.push(file.slice(end + parts.table.size));
  else if (end % 8) content.push(new Uint8Array(8 - (end % 8)));
  return new Blob(content);
}

/** The PKCS #7 structures of a signed file. */
export async function peSignatures(file: Blob, parts: PeParts): Promise<Uint8Array[]> {
  const { offset, size } = parts.table;
  if (size === 0 || size > tableMost) return [];
  const bytes = new Uint8Array(await file.slice(offset, offset + size).arrayBuffer());
  const view = new DataView(bytes.buffer);
  const found: Uint8Array[] = [];
  for (let at = 0; at + 8 <= size;) {
    const length = view.getUint32(at, true);
    if (length < 8 || at + length > size) break;
    if (view.getUint16(at + 6, true) === 2) found.push(bytes.subarray(at + 8, at + length));
    at += (length + 7) & ~7;
  }
  return found;
}

export interface SignedPart {
  hash: string;
  /** What was hashed and signed: the attributes as a SET, or the content itself where there are none. */
  bytes: Uint8Array;
  /** Of a PE: the digest of the file, in lower-case hexadecimal, with the bytes around it that the attributes name. */
  file: { digest: string; content: Uint8Array } | null;
  /** What the attributes say the digest of the content is. */
  contentDigest: string | null;
  signature: Uint8Array;
}

const hashes: Record<string, string> = {
  '1.3.14.3.2.26': 'sha1',
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
};
const nested = '1.3.6.1.4.1.311.2.4.1';
const messageDigest = '1.2.840.113549.1.9.4';

function asSet(content: Uint8Array): Uint8Array {
  const length = content.length;
  const head = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return new Uint8Array([0x31, ...head, ...content]);
}

const attributeOf = (attributes: Node, type: string) =>
  attributes.children.find((a) => oid(a.children[0]!.bytes) === type)?.children[1];

function signerOf(signer: Node, file: SignedPart['file']): SignedPart[] {
  const attributes = signer.children.find((n) => n.tag === 0xa0);
  const others = signer.children.find((n) => n.tag === 0xa1);
  const signature = signer.children.find((n) => n.tag === 0x04);
  const hash = hashes[oid(signer.children[2]!.children[0]!.bytes)];
  const inner = others && attributeOf(others, nested);
  const more = inner ? inner.children.flatMap(signersOf) : [];
  if (!attributes || !signature || !hash) return more;
  const named = attributeOf(attributes, messageDigest)?.children[0];
  const contentDigest = named ? hexOf(named.bytes) : null;
  return [{ hash, bytes: asSet(attributes.bytes), file, contentDigest, signature: signature.bytes }, ...more];
}

/** Of a ContentInfo with SignedData (RFC 5652 §5.1; Authenticode's content is an SpcIndirectDataContent). */
function signersOf(info: Node): SignedPart[] {
  const data = info.children[1]!.children[0]!;
  const content = data.children[2]!.children[1]?.children[0];
  const digest = content?.children[1]?.children[1];
  const file = content && digest?.tag === 0x04 ? { digest: hexOf(digest.bytes), content: content.bytes } : null;
  return data.children.at(-1)!.children.flatMap((signer) => signerOf(signer, file));
}

/** In a PE zeros may follow the structure. */
function withoutPadding(bytes: Uint8Array): Uint8Array {
  const count = bytes[1]! & 0x80 ? bytes[1]! & 0x7f : 0;
  let length = count ? 0 : bytes[1]!;
  for (let i = 0; i < count; i++) length = length * 256 + bytes[2 + i]!;
  return bytes.subarray(0, 2 + count + length);
}

/** Every signer of a PKCS #7 structure, also of signatures inside of signatures. */
export function signedParts(pkcs7: Uint8Array): SignedPart[] {
  try {
    return signersOf(read(withoutPadding(pkcs7))[0]!);
  } catch {
    return [];
  }
}

/** An ECDSA signature as a token makes it, r and s side by side, from the DER that files hold; null when it is none. */
export function rawEcdsa(der: Uint8Array, size: number): Uint8Array | null {
  try {
    const numbers = read(der)[0]!.children.map((n) => (n.bytes[0] === 0 ? n.bytes.subarray(1) : n.bytes));
    if (numbers.length !== 2 || numbers.some((n) => n.length > size)) return null;
    const raw = new Uint8Array(2 * size);
    numbers.forEach((n, i) => raw.set(n, (i + 1) * size - n.length));
    return raw;
  } catch {
    return null;
  }
}
