// SPDX-License-Identifier: Apache-2.0
// A key's certificate: its chain, where the next one comes from, the request to take to a CA, and the certificate brought back.
import { useState } from 'preact/hooks';
import { api, path } from '../api/client';
import { readsAll, role } from '../api/session';
import type { Csr, Job, Key, KeyCertificate, KeyCertificateTaken } from '../api/types';
import { href } from '../app/router';
import { keyName } from '../lib/keys';
import { base64Of, capital, download, pemOf, plural } from '../lib/text';
import { Button, Card, Empty, Facts, Note, Time } from '../ui/basic';
import { Chain } from '../ui/certificate';
import { ConnectorField } from '../ui/connector_field';
import { Dialog, openDialog } from '../ui/dialog';
import { FileDrop } from '../ui/file';
import { Form, TextField, useForm } from '../ui/form';
import { useKeySources } from '../ui/key_sources';
import { usePages, useQuery } from '../ui/query';
import { useSeen } from '../ui/seen';
import { PagedTable } from '../ui/table';
import { toast, toastError } from '../ui/toast';
import { jobColumns } from './jobs';
import { RevokeButton } from './key_revoke';

const pem = 'application/x-pem-file';
const fileMost = 256 * 1024;

// ---- where the next one comes from

/** The name of the key's connector. */
const connectorOf = (key: Key) => key.connector_name ?? 'builtin';

function ChangeSource({ of, close }: { of: Key; close: () => void }) {
  const sources = useKeySources(of.project);
  const connector = connectorOf(of);
  const form = useForm({ connector, subject: '', renew_before_days: String(of.renew_before_days) });
  const { seen, reload } = useSeen(of, path`/v1/keys/${of.id}`);
  return (
    <Dialog title={`Certificates of ${keyName(of)}`} onClose={close}>
      <p>The certificate that it has stays; this is about the next one, at a renewal or a rotation.</p>
      <Form
        form={form}
        submit="Save"
        onCancel={close}
        onReload={reload}
        onSubmit={async (v) => {
          const body = {
            ...(v.connector === connector ? {} : { connector: v.connector }),
            ...(v.subject.trim() ? { subject: v.subject.trim() } : {}),
            renew_before_days: Number(v.renew_before_days),
          };
          await api.patch(path`/v1/keys/${of.id}`, body, { revision: seen.revision });
          close();
          toast(`The next certificate of ${keyName(of)} comes as you said`);
        }}
      >
        <ConnectorField form={form} sources={sources} />
        <TextField
          form={form}
          name="subject"
          label="Subject"
          maxLength={255}
          help="As it is, unless given: CN=…,O=…,C=…"
        />
        <TextField
          form={form}
          name="renew_before_days"
          label="Renewed by itself so many days before its end"
          type="number"
          min={0}
          max={120}
          required
          help="0: it is not renewed by itself. Where the connector can."
        />
      </Form>
    </Dialog>
  );
}

// ---- by hand

async function saveCsr(key: Key) {
  try {
    const answer = await api.get<Csr>(path`/v1/keys/${key.id}/csr`);
    download(`${key.project}-${key.label}-v${answer.version}.csr.pem`, answer.csr, pem);
  } catch (e) {
    toastError(e);
  }
}

function TakeCertificate({ of, close }: { of: Key; close: () => void }) {
  const form = useForm({ certificate: '' });
  const { seen, reload } = useSeen(of, path`/v1/keys/${of.id}`);
  const [taken, setTaken] = useState<KeyCertificateTaken | null>(null);
  const take = async (file: File) => {
    if (file.size > fileMost) return form.fail('certificate', `${file.name} is too large for certificates`);
    const bytes = new Uint8Array(await file.arrayBuffer());
    const text = new TextDecoder().decode(bytes);
    if (/PRIVATE KEY-----/.test(text))
      return form.fail('certificate', `${file.name} is a private key. It was not sent; leave it where it is.`);
    // DER and PKCS #7 in binary go as base64.
    form.set('certificate', text.includes('-----BEGIN ') ? text : base64Of(bytes));
  };
  if (taken)
    return (
      <Dialog title={`${keyName(of)} has its certificate`} onClose={close}>
        {taken.findings.length === 0 ? (
          <Note tone="good" title={`It is of version ${taken.version}, and nothing is to be said against it.`} />
        ) : (
          <Note tone="warn" title={`It is of version ${taken.version}. ${plural(taken.findings.length, 'finding')}:`}>
            <ul>
              {taken.findings.map((f) => (
                <li key={f}>{capital(f)}</li>
              ))}
            </ul>
          </Note>
        )}
        <div class="form-end">
          <Button kind="primary" onClick={close}>
            Close
          </Button>
        </div>
      </Dialog>
    );
  return (
    <Dialog title={`Certificate for ${keyName(of)}`} onClose={close} wide>
      <p>
        The certificate and its issuers up to the root, in any order: PEM, DER or PKCS #7. It finds the version of the
        key by itself.
      </p>
      <Form
        form={form}
        submit="Take the certificate"
        onCancel={close}
        onReload={reload}
        onSubmit={async (v) => {
          const body = { certificate: v.certificate };
          setTaken(
            await api.put<KeyCertificateTaken>(path`/v1/keys/${of.id}/certificate`, body, { revision: seen.revision }),
          );
        }}
      >
        <FileDrop label="File with the certificates" onFile={(f) => void take(f)} />
        <TextField
          form={form}
          name="certificate"
          label="Or paste them: PEM, or base64 of DER or PKCS #7"
          required
          machine
          rows={8}
        />
      </Form>
    </Dialog>
  );
}

// ---- the tab

function Source({ of: key }: { of: Key }) {
  const connector = connectorOf(key);
  const mayManage = role.value !== 'auditor';
  const isLive = key.state === 'active' || key.state === 'disabled';
  return (
    <Card
      title="The next certificate"
      actions={
        mayManage &&
        isLive && (
          <>
            <Button onClick={() => openDialog((close) => <ChangeSource of={key} close={close} />)}>Change</Button>
            <Button icon="download" onClick={() => void saveCsr(key)}>
              Request
            </Button>
            <Button onClick={() => openDialog((close) => <TakeCertificate of={key} close={close} />)}>
              Bring a certificate
            </Button>
          </>
        )
      }
    >
      <Facts
        rows={[
          [
            'Comes from',
            connector === 'builtin' ? (
              'the built-in CA'
            ) : connector === 'manual' ? (
              'a person, who brings it here'
            ) : (
              <span class="sentence">
                the connector {readsAll.value ? <a href={href('/connectors', connector)}>{connector}</a> : connector}
              </span>
            ),
          ],
          [
            'Renewed by itself',
            connector === 'manual'
              ? 'no: by hand'
              : key.renew_before_days === 0
                ? 'no'
                : `${plural(key.renew_before_days, 'day')} before its end`,
          ],
          ['Last job', readsAll.value && key.job ? <a href={href('/jobs', key.job)}>{key.job}</a> : undefined],
        ]}
      />
    </Card>
  );
}

function KeyJobs({ of: key }: { of: Key }) {
  const pages = usePages<Job>(path`/v1/keys/${key.id}/jobs`, {}, { pageSize: 10 });
  if (!pages.items?.length) return null;
  return (
    <Card title="Jobs" flush>
      <PagedTable
        caption={`Jobs for certificates of ${keyName(key)}`}
        pages={pages}
        id={(j) => j.id}
        columns={[
          ...jobColumns.filter((c) => c.head !== 'Key'),
          // For who may not look at the job itself.
          ...(readsAll.value
            ? []
            : [{ head: 'Last attempt', cell: (j: Job) => j.error ?? <span class="muted">no error</span> }]),
        ]}
        empty="None"
      />
    </Card>
  );
}

export function Certificates({ of: key }: { of: Key }) {
  const name = `${key.project}-${key.label}`;
  const chain = key.certificates.map((der) => pemOf(der, 'CERTIFICATE')).join('');
  const said = useQuery<KeyCertificate>(key.certificates.length ? path`/v1/keys/${key.id}/certificate` : null).data;
  return (
    <>
      {key.certificates.length === 0 ? (
        <Card>
          <Empty icon="certificate" title="This key has no certificate">
            {key.job && 'A job fetches it.'}
          </Empty>
        </Card>
      ) : (
        <Card
          title="Certificate chain"
          actions={
            <>
              <Button icon="download" onClick={() => download(`${name}-chain.pem`, chain, pem)}>
                Whole chain
              </Button>
              {said && <RevokeButton of={key} certificate={said} />}
            </>
          }
        >
          {said?.revoked && (
            <Note tone="bad" title="This certificate is revoked.">
              From <Time at={said.revoked} /> on. Nothing is signed with it, unless a policy allows that.
            </Note>
          )}
          <Chain certificates={key.certificates} name={name} revoked={said?.revoked} />
        </Card>
      )}
      <Source of={key} />
      <KeyJobs of={key} />
    </>
  );
}
