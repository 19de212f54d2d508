// SPDX-License-Identifier: Apache-2.0
// Where the first certificate of a key comes from, and what it says.
import type { KeySources } from '../api/types';
import { CaField } from './ca_field';
import { ConnectorField } from './connector_field';
import { DaysField } from './days_field';
import { TextField, type FormState } from './form';

/** In a form. */
export interface CertificateValues {
  connector: string;
  subject: string;
  days: string;
  ca: string;
}
export const byDefault: CertificateValues = { connector: 'builtin', subject: '', days: '', ca: '' };

/** What a request says of a certificate that comes from there: what that takes, and is given. */
export const certificateSays = (v: CertificateValues, from: string) => ({
  ...(v.subject.trim() ? { subject: v.subject.trim() } : {}),
  ...(v.days && from !== 'manual' ? { days: Number(v.days) } : {}),
  ...(v.ca && from === 'builtin' ? { ca: v.ca } : {}),
});

/** The member `certificate` of a request. */
export const firstCertificate = (v: CertificateValues) =>
  v.connector === 'none'
    ? { issuer: 'none' }
    : {
        ...(v.connector === 'builtin' ? { issuer: 'builtin' } : { connector: v.connector }),
        ...certificateSays(v, v.connector),
      };

export function FirstCertificateFields<V extends CertificateValues>({
  form: given,
  sources,
}: {
  form: FormState<V>;
  sources: KeySources | undefined;
}) {
  const form = given as unknown as FormState<CertificateValues>;
  const { connector } = form.values;
  return (
    <>
      <ConnectorField form={form} sources={sources} none="None: a bare key pair" />
      {connector === 'builtin' && <CaField form={form} none="The one made at the start" />}
      {connector !== 'none' && (
        <TextField
          form={form}
          name="subject"
          label="Subject"
          maxLength={255}
          placeholder="CN=Example Release,O=Example,C=DE"
        />
      )}
      {connector !== 'none' && connector !== 'manual' && (
        <DaysField form={form} otherwise={connector === 'builtin' ? '365' : 'What the CA gives'} />
      )}
    </>
  );
}
