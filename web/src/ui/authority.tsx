// SPDX-License-Identifier: Apache-2.0
// The built-in CA: its two certificates, to look at and to take along.
import type { Authority } from '../api/types';
import { certificateOf, type Certificate } from '../lib/der';
import { derOfPem } from '../lib/text';
import { Chain } from './certificate';

export const certificatesOf = (ca: Authority) => [...derOfPem(ca.issuing), ...derOfPem(ca.root)];

/** What is wrong with it, or null. */
export function authorityFault(ca: Authority, now = new Date()): string | null {
  const [issuing, root] = certificatesOf(ca).map(certificateOf) as (Certificate | null | undefined)[];
  if (!issuing || !root) return 'A certificate of the CA cannot be read';
  for (const [name, c] of [
    ['issuing', issuing],
    ['root', root],
  ] as const) {
    if (!c.isCa) return `The ${name} certificate is not that of a CA`;
    if (c.notAfter <= now) return `The ${name} certificate has expired`;
    if (c.notBefore > now) return `The ${name} certificate is not valid yet: look at the server's clock`;
  }
  return issuing.issuer === root.subject ? null : 'The issuing certificate is not by this root';
}

export function AuthorityChain({ of }: { of: Authority }) {
  return <Chain certificates={certificatesOf(of)} names={['Issuing', 'Root']} name="code-signing-ca" />;
}
