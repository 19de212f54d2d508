// SPDX-License-Identifier: Apache-2.0
// Reads what the page shows of an X.509 certificate (RFC 5280 §4.1). The server has checked it; here nothing is trusted or
// decided, and what cannot be read is left out.
import { bytesOf, hexOf } from './text';

export interface Certificate {
  subject: string;
  issuer: string;
  /** As the server has it: of an INTEGER's octets, without the zero before a high bit. */
  serial: string;
  notBefore: Date;
  notAfter: Date;
  /** Of extendedKeyUsage, by name where known. */
  usages: string[];
  isCa: boolean;
}

export interface Node {
  tag: number;
  bytes: Uint8Array;
  /** Only of constructed ones. */
  children: Node[];
}

const depthMost = 16;

/** Throws when it is no DER. */
export function read(bytes: Uint8Array, depth = 0): Node[] {
  const nodes: Node[] = [];
  let at = 0;
  while (at < bytes.length) {
    const tag = bytes[at++]!;
    let length = bytes[at++]!;
    if (length & 0x80) {
      const count = length & 0x7f;
      if (count === 0 || count > 4) throw new Error('length');
      length = 0;
      for (let i = 0; i < count; i++) length = length * 256 + bytes[at++]!;
    }
    const content = bytes.subarray(at, at + length);
    if (content.length !== length) throw new Error('short');
    at += length;
    nodes.push({ tag, bytes: content, children: tag & 0x20 && depth < depthMost ? read(content, depth + 1) : [] });
  }
  return nodes;
}

export function oid(bytes: Uint8Array): string {
  const numbers: number[] = [];
  let value = 0;
  for (const b of bytes) {
    value = value * 128 + (b & 0x7f);
    if (b & 0x80) continue;
    if (numbers.length === 0)
      numbers.push(Math.min(Math.floor(value / 40), 2), value - Math.min(Math.floor(value / 40), 2) * 40);
    else numbers.push(value);
    value = 0;
  }
  return numbers.join('.');
}

const attributes: Record<string, string> = {
  '2.5.4.3': 'CN',
  '2.5.4.5': 'serialNumber',
  '2.5.4.6': 'C',
  '2.5.4.7': 'L',
  '2.5.4.8': 'ST',
  '2.5.4.9': 'STREET',
  '2.5.4.10': 'O',
  '2.5.4.11': 'OU',
  '0.9.2342.19200300.100.1.25': 'DC',
  '1.2.840.113549.1.9.1': 'E',
};

function text(node: Node): string {
  const coding = { 0x1e: 'utf-16be', 0x14: 'latin1' }[node.tag] ?? 'utf-8';
  return new TextDecoder(coding).decode(node.bytes);
}

function name(node: Node): string {
  return node.children
    .flatMap((set) => set.children)
    .map(({ children: [type, value] }) => `${attributes[oid(type!.bytes)] ?? oid(type!.bytes)}=${text(value!)}`)
    .join(', ');
}

function time(node: Node): Date {
  const s = text(node);
  const full = node.tag === 0x18 ? s : (Number(s.slice(0, 2)) < 50 ? '20' : '19') + s;
  const [, y, mo, d, h, mi, sec] = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(full)!;
  return new Date(`${y}-${mo}-${d}T${h}:${mi}:${sec}Z`);
}

const purposes: Record<string, string> = {
  '1.3.6.1.5.5.7.3.1': 'TLS server',
  '1.3.6.1.5.5.7.3.2': 'TLS client',
  '1.3.6.1.5.5.7.3.3': 'code signing',
  '1.3.6.1.5.5.7.3.8': 'time stamping',
  '1.3.6.1.5.5.7.3.9': 'OCSP signing',
};

function extension(tbs: Node, wanted: string): Node | undefined {
  const list = tbs.children.find((n) => n.tag === 0xa3)?.children[0]?.children ?? [];
  const found = list.find((e) => oid(e.children[0]!.bytes) === wanted);
  return found && read(found.children.at(-1)!.bytes)[0];
}

/** null when it cannot be read. */
export function certificateOf(base64: string): Certificate | null {
  try {
    const tbs = read(bytesOf(base64))[0]!.children[0]!;
    const [serial, , issuer, validity, subject] = tbs.children.filter((n) => n.tag !== 0xa0);
    return {
      serial: hexOf(serial!.bytes)
        .toUpperCase()
        .replace(/^(00)+(?=.)/, ''),
      issuer: name(issuer!),
      subject: name(subject!),
      notBefore: time(validity!.children[0]!),
      notAfter: time(validity!.children[1]!),
      usages: (extension(tbs, '2.5.29.37')?.children ?? []).map((n) => purposes[oid(n.bytes)] ?? oid(n.bytes)),
      isCa: extension(tbs, '2.5.29.19')?.children[0]?.bytes[0] === 0xff,
    };
  } catch {
    return null;
  }
}
