// SPDX-License-Identifier: Apache-2.0
// What several pages say of a signing key.
import type { Key } from '../api/types';
import { certificateOf, type Certificate } from './der';
import { dayMs } from './time';

/** "demo:rsa", which the interface takes in paths. */
export const keyName = (key: Pick<Key, 'project' | 'label'>) => `${key.project}:${key.label}`;

export const keyTypes = ['p256', 'p384', 'p521', 'rsa2048', 'rsa3072', 'rsa4096', 'ed25519'] as const;
export const keyStates = ['pending', 'active', 'disabled', 'retired', 'destroyed', 'missing'] as const;

export function leafOf(key: Pick<Key, 'certificates'>): Certificate | null {
  return key.certificates[0] ? certificateOf(key.certificates[0]) : null;
}

/** Of a certificate: how loudly its end is to be told. */
export function expiryTone(end: Date, now = Date.now()): 'good' | 'warn' | 'bad' {
  const left = end.getTime() - now;
  if (left <= 0) return 'bad';
  return left < 30 * dayMs ? 'warn' : 'good';
}
