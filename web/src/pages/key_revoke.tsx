// SPDX-License-Identifier: Apache-2.0
// Revocation of the certificates of one version of a key.
import type { ComponentChildren } from 'preact';
import { api, path } from '../api/client';
import { role } from '../api/session';
import type { Key, KeyCertificate, RevokedList } from '../api/types';
import { keyName } from '../lib/keys';
import { Button, Loading } from '../ui/basic';
import { Dialog, openDialog } from '../ui/dialog';
import { useKeySources } from '../ui/key_sources';
import { OnCrl, RevokeDialog } from '../ui/revoke';
import { useSeen } from '../ui/seen';

type VersionCertificate = Pick<KeyCertificate, 'version' | 'serial' | 'connector' | 'revoked'>;

/** What becomes of it at the CA, which is asked where its connector can. */
function ofTheCa(c: VersionCertificate, canRevoke: boolean): ComponentChildren[] {
  if (c.connector === null) return [<OnCrl serial={c.serial} />];
  if (canRevoke)
    return [
      `Here it counts as revoked at once. A job asks the CA of ${c.connector} to revoke it; those who verify see it when the CA has done so.`,
    ];
  return [
    'Here it counts as revoked at once.',
    <>
      <strong>Its CA is not asked.</strong>{' '}
      {c.connector === 'manual' ? 'It was brought by a person' : `It came by ${c.connector}, which cannot do that`}: ask
      the CA by its own means to revoke the serial number <code>{c.serial}</code>. Until then those who verify elsewhere
      take it as good.
    </>,
  ];
}

function Revoke({ of: key, certificate: c, close }: { of: Key; certificate: VersionCertificate; close: () => void }) {
  const { seen, reload } = useSeen(key, path`/v1/keys/${key.id}`);
  const sources = useKeySources(key.project);
  const isCurrent = c.version === key.version;
  const whose = isCurrent ? keyName(key) : `version ${c.version} of ${keyName(key)}`;
  const title = `Revoke the certificate of ${whose}?`;
  if (!sources)
    return (
      <Dialog title={title} onClose={close}>
        <Loading />
      </Dialog>
    );
  const connector = sources.connectors.find((s) => s.name === c.connector);
  return (
    <RevokeDialog
      title={title}
      serial={c.serial}
      consequences={[
        `Every certificate of version ${c.version} that a CA here issued is revoked with it, and one that is on its way is not taken.`,
        ...ofTheCa(c, connector?.capabilities.includes('revoke') ?? false),
      ]}
      signing={
        isCurrent
          ? 'The key signs no more until it has another certificate, unless its policy allows a revoked one.'
          : `Version ${c.version} signs nothing any more, unless the policy allows a revoked certificate; version ${key.version} goes on signing.`
      }
      run={async (body) => {
        const at = path`/v1/keys/${key.id}/versions/${String(c.version)}/revoke`;
        const { job } = await api.post<RevokedList>(at, body, { revision: seen.revision });
        const isToAsk = c.connector !== null && !job;
        return `The certificate of ${whose} is revoked${job ? '; a job asks its CA' : isToAsk ? ' here; its CA is to be asked' : ''}`;
      }}
      reload={reload}
      close={close}
    />
  );
}

/** Nothing, for who may not and where it is revoked. */
export const RevokeButton = ({
  of: key,
  certificate: c,
  text = 'Revoke',
}: {
  of: Key;
  certificate: VersionCertificate;
  text?: string;
}) =>
  !c.revoked &&
  role.value !== 'auditor' && (
    <Button kind="danger" onClick={() => openDialog((close) => <Revoke of={key} certificate={c} close={close} />)}>
      {text}
    </Button>
  );
