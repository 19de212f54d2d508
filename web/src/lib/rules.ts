// SPDX-License-Identifier: Apache-2.0
// The rules of the signing path in plain words, in the order in which the server asks them.

import { href } from '../app/router';

const words: Record<string, [title: string, question: string]> = {
  principal: ['The account', 'Is it active and not expired?'],
  key: ['The key', 'Is there such a key?'],
  role: ['The role', 'Is the account an authorized signer of the project, now?'],
  freeze: ['Freeze', 'Is signing frozen for the platform or the project?'],
  state: ['State of the key', 'Is the key active?'],
  version: ['Version of the key', 'Is this version in use?'],
  mechanism: ['Mechanism', 'Does the key allow it?'],
  hash: ['Hash', 'Does the key allow it?'],
  'policy.mechanism': ['Policy: mechanisms', 'Is the mechanism among those allowed?'],
  'policy.hash': ['Policy: hashes', 'Is the hash among those allowed?'],
  'policy.certificate': ['Policy: certificate', 'Is the certificate valid, for long enough?'],
  'policy.revoked': ['Policy: revocation', 'Is the certificate not revoked?'],
  'policy.network': ['Policy: networks', 'Does the request come from an allowed network?'],
  'policy.window': ['Policy: times', 'Is it within the weekly or release windows?'],
  'policy.context': ['Policy: context', 'Does the request carry the required fields?'],
  'policy.program': ['Policy: programs', 'Is the program one of those allowed? It is what the client says it is.'],
  'policy.approval': ['Policy: approval', 'Is there an approval that covers this?'],
  'policy.quota': ['Policy: quota', 'Is something left of the quota?'],
  'policy.rate': ['Policy: rate', 'Are the signatures slow enough?'],
  'policy.digests': ['Policy: listed digests', 'Is the digest on the key’s list?'],
  digest: ['Digest', 'Has it the length of its hash?'],
};

/** Where it is changed what a rule refuses: the address of a page, and what is there. `name` is "project:label". */
export function remedies(rule: string, project: string, name: string): [to: string, text: string][] {
  const policies: [string, string] = [href('/keys', name, { tab: 'policy' }), `The policies that count for ${name}`];
  switch (rule) {
    case 'role':
      return [[href('/projects', project, { tab: 'members' }), `Roles in ${project}`]];
    case 'freeze':
      return [
        [href('/projects', project), `Freeze of ${project}`],
        [href('/policy'), 'Freeze of the platform'],
      ];
    case 'state':
    case 'mechanism':
    case 'hash':
      return [[href('/keys', name), `The key ${name}`]];
    case 'version':
      return [[href('/keys', name, { tab: 'versions' }), `Versions of ${name}`]];
    case 'policy.certificate':
    case 'policy.revoked':
      return [[href('/keys', name, { tab: 'certificate' }), `Certificate of ${name}`], policies];
    case 'policy.approval':
      return [[href('/approvals'), 'Approvals'], policies];
    case 'policy.digests':
      return [[href('/keys', name, 'digests'), `Listed digests of ${name}`], policies];
    default:
      return rule.startsWith('policy.') ? [policies] : [];
  }
}

export const ruleTitle = (rule: string) => words[rule]?.[0] ?? rule;
export const ruleQuestion = (rule: string) => words[rule]?.[1] ?? '';
