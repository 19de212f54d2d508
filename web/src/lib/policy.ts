// SPDX-License-Identifier: Apache-2.0
// A policy as a form holds it, and as the interface does: text in the one, numbers and absent members in the other.
import type { Hash, Mechanism, Policy } from '../api/types';

export const mechanisms: Mechanism[] = ['rsa_pkcs1', 'rsa_pss', 'ecdsa', 'eddsa'];
export const hashes: Hash[] = [
  'sha256',
  'sha384',
  'sha512',
  'sha3-256',
  'sha3-384',
  'sha3-512',
  'sha224',
  'sha3-224',
  'sha1',
];
export const weekDays = [
  ['mon', 'Monday'],
  ['tue', 'Tuesday'],
  ['wed', 'Wednesday'],
  ['thu', 'Thursday'],
  ['fri', 'Friday'],
  ['sat', 'Saturday'],
  ['sun', 'Sunday'],
] as const;

/** Members in the order in which people read them. */
export const members = [
  'mechanisms',
  'hashes',
  'certificate',
  'quota',
  'rate',
  'networks',
  'windows',
  'releases',
  'context',
  'programs',
  'digests',
  'approval',
] as const satisfies (keyof Policy)[];
export type Member = (typeof members)[number];

export const memberTitles: Record<Member, string> = {
  mechanisms: 'Mechanisms',
  hashes: 'Hashes',
  certificate: 'Certificate',
  quota: 'Quota',
  rate: 'Rate',
  networks: 'Networks',
  windows: 'Weekly windows',
  releases: 'Release windows',
  context: 'Required context',
  programs: 'Programs',
  digests: 'Digests',
  approval: 'Approval',
};

/** The same document reads the same, whatever the order of its members. */
export function ordered(policy: Policy): Policy {
  const known = members.filter((m) => policy[m] !== undefined);
  const others = Object.keys(policy).filter((m) => !(members as readonly string[]).includes(m));
  return Object.fromEntries([...known, ...others].map((m) => [m, policy[m as Member]])) as Policy;
}

export const textOf = (policy: Policy | null) => JSON.stringify(ordered(policy ?? {}), null, 2);

export interface DiffLine {
  mark: ' ' | '+' | '-';
  text: string;
}

const linesMost = 2000;

/** The lines that differ, by the longest common subsequence. */
export function diffLines(before: string, after: string): DiffLine[] {
  const a = before.split('\n').slice(0, linesMost);
  const b = after.split('\n').slice(0, linesMost);
  const width = b.length + 1;
  const longest = new Uint16Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i--)
    for (let j = b.length - 1; j >= 0; j--)
      longest[i * width + j] =
        a[i] === b[j]
          ? longest[(i + 1) * width + j + 1]! + 1
          : Math.max(longest[(i + 1) * width + j]!, longest[i * width + j + 1]!);
  const lines: DiffLine[] = [];
  for (let i = 0, j = 0; i < a.length || j < b.length;) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      lines.push({ mark: ' ', text: a[i]! });
      i++;
      j++;
    } else if (j < b.length && (i === a.length || longest[i * width + j + 1]! > longest[(i + 1) * width + j]!))
      lines.push({ mark: '+', text: b[j++]! });
    else lines.push({ mark: '-', text: a[i++]! });
  }
  return lines;
}
