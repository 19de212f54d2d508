// SPDX-License-Identifier: Apache-2.0
// What connectors are, and which settings each type of them has: docs/connectors.md in forms.
import type { ConnectorType, JobKind } from '../api/types';

export const connectorTypes: Record<ConnectorType, string> = {
  builtin: 'Built-in CA',
  manual: 'Manual',
  cmp: 'CMP',
  est: 'EST',
};

export const typeHelp: Record<ConnectorType, string> = {
  builtin: 'A CA of this server certifies at once.',
  manual: 'A person takes the request to a CA and brings the certificate.',
  cmp: 'RFC 4210 and 9483: asks a CA, waits for it, renews and revokes.',
  est: 'RFC 7030: asks a CA over HTTPS, waits for it and renews.',
};

export const jobKinds: Record<JobKind, string> = {
  enroll: 'First certificate',
  renew: 'Renewal',
  revoke: 'Revocation',
  test: 'Test',
};

export const settingNames = [
  'url',
  'tls_trust_file',
  'trust_file',
  'reference',
  'secret_file',
  'username',
  'password_file',
  'certificate_file',
  'key_file',
  'recipient',
  'issuer',
  'request',
  'days',
  'timeout_s',
  'implicit_confirm',
] as const;
export type SettingName = (typeof settingNames)[number];

/** In the order of the form. */
export const settingsOf: Record<ConnectorType, SettingName[]> = {
  builtin: ['days'],
  manual: ['trust_file'],
  est: [
    'url',
    'tls_trust_file',
    'trust_file',
    'username',
    'password_file',
    'certificate_file',
    'key_file',
    'timeout_s',
  ],
  cmp: [
    'url',
    'reference',
    'secret_file',
    'certificate_file',
    'key_file',
    'trust_file',
    'tls_trust_file',
    'request',
    'recipient',
    'issuer',
    'days',
    'timeout_s',
    'implicit_confirm',
  ],
};
export const requiredOf: Record<ConnectorType, SettingName[]> = {
  builtin: [],
  manual: [],
  est: ['url', 'tls_trust_file'],
  cmp: ['url'],
};

export const settingLabels: Record<SettingName, string> = {
  url: 'Address',
  tls_trust_file: 'Trust for TLS, a file',
  trust_file: 'Trust for certificates, a file',
  reference: 'Reference',
  secret_file: 'Shared secret, a file',
  username: 'User name',
  password_file: 'Password, a file',
  certificate_file: 'Certificate, a file',
  key_file: 'Private key, a file',
  recipient: 'Recipient',
  issuer: 'Issuer',
  request: 'Request',
  days: 'Validity in days',
  timeout_s: 'Seconds for an answer',
  implicit_confirm: 'Leave out the confirmation',
};

type Help = Partial<Record<SettingName, string>>;
const files: Help = {
  secret_file: 'Of the server, by its absolute path, closed to group and others. It is in no answer, log or record.',
  password_file: 'Of the server, by its absolute path, closed to group and others.',
  key_file: 'Of the server, by its absolute path, closed to group and others; without a passphrase.',
  tls_trust_file: 'PEM, of the server: the only anchors that the TLS certificate may lead to.',
  timeout_s: '30 unless given.',
};
export const settingHelp: Record<ConnectorType, Help> = {
  builtin: { days: '365 unless given; at most 460.' },
  manual: {
    trust_file: 'PEM, of the server: the only anchors believed. Without it, the root that comes with the file.',
  },
  est: {
    ...files,
    url: 'https://ca.example/.well-known/est',
    trust_file: 'PEM, of the server: anchors of the certificates issued. Without it, the roots that the CA gives.',
    certificate_file: 'PEM, of the server: a TLS client certificate, instead of a password or as well.',
  },
  cmp: {
    ...files,
    url: 'http:// or https://; the messages protect themselves.',
    reference: 'The name that the shared secret goes by.',
    certificate_file: 'PEM, of the server, with its issuers: signs the messages, instead of a shared secret.',
    trust_file: 'PEM, of the server: anchors of signed answers and of the certificates issued.',
    request: 'What a first certificate is asked for with.',
    recipient: 'Name of the CA, where it asks for it: CN=Example Issuing CA',
    issuer: 'Name of the issuer, where the CA asks for it.',
    days: 'What is asked for; the CA decides.',
    implicit_confirm: 'One round trip less, where the CA allows it.',
  },
};
