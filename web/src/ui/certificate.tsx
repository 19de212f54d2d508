// SPDX-License-Identifier: Apache-2.0
// A certificate, and a chain of them.
import { expiryTone } from '../lib/keys';
import { certificateOf } from '../lib/der';
import { download, pemOf } from '../lib/text';
import { Badge, Button, Code, Facts, Note, Time } from './basic';

/** `der` in base64. `revoked`: since when, where it is. */
export function CertificateFacts({ der, name, revoked }: { der: string; name: string; revoked?: string | null }) {
  const c = certificateOf(der);
  if (!c) return <Note tone="warn" title="This certificate cannot be shown here; download it to look at it." />;
  const tone = expiryTone(c.notAfter);
  return (
    <Facts
      rows={[
        ['Subject', c.subject],
        ['Issuer', c.issuer === c.subject ? 'itself' : c.issuer],
        ['Serial number', <Code text={c.serial} label="serial number" />],
        [
          'Valid',
          <>
            <Time at={c.notBefore} style="date" /> – <Time at={c.notAfter} style="date" />{' '}
            {revoked ? (
              <Badge tone="bad">
                revoked <Time at={revoked} style="ago" />
              </Badge>
            ) : (
              <Badge tone={tone}>
                {tone === 'bad' ? 'expired' : 'ends'} <Time at={c.notAfter} style="ago" />
              </Badge>
            )}
          </>,
        ],
        ['For', c.isCa ? 'certificate authority' : c.usages.join(', ') || undefined],
        [
          'File',
          <Button
            icon="download"
            onClick={() => download(`${name}.pem`, pemOf(der, 'CERTIFICATE'), 'application/x-pem-file')}
          >
            {name}.pem
          </Button>,
        ],
      ]}
    />
  );
}

const places = (count: number, i: number) => (i === 0 ? 'Leaf' : i === count - 1 ? 'Root' : 'Issuing');

/** `names` says what each is, where it is not leaf, issuing and root; `revoked`: since when the first one is. */
export function Chain({
  certificates,
  name,
  names,
  revoked,
}: {
  certificates: string[];
  name: string;
  names?: string[];
  revoked?: string | null;
}) {
  const titleOf = (i: number) => names?.[i] ?? places(certificates.length, i);
  return (
    <ol class="chain">
      {certificates.map((der, i) => (
        <li key={i}>
          <h3>{titleOf(i)}</h3>
          <CertificateFacts
            der={der}
            name={i === 0 && !names ? name : `${name}-${titleOf(i).toLowerCase()}`}
            revoked={i === 0 ? revoked : null}
          />
        </li>
      ))}
    </ol>
  );
}
