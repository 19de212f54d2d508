// SPDX-License-Identifier: Apache-2.0
// The timestamp authority: whether it issues tokens and why not, its clock, key and certificate, the outside authorities it
// relays to, and what is done with it.
import { api } from '../api/client';
import { isAdministrator } from '../api/session';
import type { Ca, Page, Tsa, TsaCsr, TsaKey } from '../api/types';
import { capital, download, nameOf, number } from '../lib/text';
import {
  Badge,
  Button,
  Card,
  Code,
  CodeBlock,
  Empty,
  Facts,
  Figure,
  Grid,
  Loading,
  Note,
  PageHead,
  Problem,
  Stack,
  Time,
} from '../ui/basic';
import { Chain } from '../ui/certificate';
import { DaysField } from '../ui/days_field';
import { Dialog, confirmAction, openDialog } from '../ui/dialog';
import { Form, SelectField, TextField, useForm } from '../ui/form';
import { useQuery } from '../ui/query';
import { useSeen } from '../ui/seen';
import { Table } from '../ui/table';
import { toast, toastError } from '../ui/toast';

const order = (of: Tsa, what: string, body: object) =>
  api.post<Tsa>(`/v1/tsa/${what}`, body, { revision: of.revision ?? undefined });

// ---- making it, another key, another certificate

const keyTypes: [string, string][] = ['p256', 'p384', 'rsa3072', 'rsa4096'].map((t) => [t, nameOf(t)]);

interface OrderValues {
  type: string;
  issuer: string;
  subject: string;
  days: string;
  ca: string;
}

const bodyOf = (v: OrderValues, isRenewal: boolean) => ({
  ...(isRenewal ? {} : { type: v.type, issuer: v.issuer }),
  ...(v.subject.trim() ? { subject: v.subject.trim() } : {}),
  ...(v.days ? { days: Number(v.days) } : {}),
  ...(v.ca && (isRenewal || v.issuer === 'builtin') ? { ca: v.ca } : {}),
});

function TsaCaField({ form }: { form: ReturnType<typeof useForm<OrderValues>> }) {
  const cas = useQuery<Page<Ca>>('/v1/cas?state=active&limit=1000');
  const list = cas.data?.items.filter((c) => c.purpose === 'timestamping') ?? [];
  if (list.length < 2) return null;
  return (
    <SelectField
      form={form}
      name="ca"
      label="Certificate authority"
      none="As before"
      choices={list.map((c) => [c.name, `${c.name}: ${c.subject}`])}
    />
  );
}

const orders = {
  create: {
    title: 'Make the timestamp authority',
    text: 'The HSM makes a key that signs timestamps and nothing else.',
    submit: 'Make it',
    done: 'The timestamp authority is made',
  },
  rotate: {
    title: 'New key of the timestamp authority',
    text: 'The HSM makes another key, and the private key before is destroyed. Tokens issued so far stay valid.',
    submit: 'Make a new key',
    done: 'The timestamp authority has a new key',
  },
  renew: {
    title: 'New certificate of the timestamp authority',
    text: 'Its key gets a new certificate of the built-in CA. Tokens issued so far stay valid.',
    submit: 'Issue a certificate',
    done: 'The timestamp authority has a new certificate',
  },
};

function Order({ of, what, close }: { of: Tsa; what: keyof typeof orders; close: () => void }) {
  const form = useForm<OrderValues>({
    type: of.active?.type ?? 'p256',
    issuer: 'builtin',
    subject: '',
    days: '',
    ca: '',
  });
  const { seen, reload } = useSeen(of, '/v1/tsa');
  const isRenewal = what === 'renew';
  const words = orders[what];
  const before = what === 'create' ? undefined : 'As in the certificate before';
  return (
    <Dialog title={words.title} onClose={close}>
      <p>{words.text}</p>
      <Form
        form={form}
        submit={words.submit}
        onCancel={close}
        onReload={reload}
        onSubmit={async (v) => {
          const body = bodyOf(v, isRenewal);
          if (what === 'create') await api.create('/v1/tsa', body, form.once);
          else await order(seen, what, body);
          close();
          toast(!isRenewal && v.issuer === 'external' ? 'Its key waits for a certificate' : words.done);
        }}
      >
        {!isRenewal && (
          <>
            <SelectField form={form} name="type" label="Key" required choices={keyTypes} />
            <SelectField
              form={form}
              name="issuer"
              label="Certificate"
              required
              choices={[
                ['builtin', 'From the built-in CA'],
                ['external', 'From a CA outside'],
              ]}
              help={
                form.values.issuer === 'external'
                  ? 'The key waits. Its request can be downloaded, and the certificate brought, on this page.'
                  : undefined
              }
            />
          </>
        )}
        {(isRenewal || form.values.issuer === 'builtin') && <TsaCaField form={form} />}
        <TextField
          form={form}
          name="subject"
          label="Subject"
          maxLength={255}
          placeholder="CN=Example Timestamps,O=Example,C=DE"
          help={before && `${before}, unless given.`}
        />
        {(isRenewal || form.values.issuer === 'builtin') && <DaysField form={form} most={4108} otherwise={before} />}
      </Form>
    </Dialog>
  );
}

function TakeCertificate({ of, close }: { of: Tsa; close: () => void }) {
  const form = useForm({ certificates: '' });
  const { seen, reload } = useSeen(of, '/v1/tsa');
  return (
    <Dialog title="Certificate of the timestamp authority" onClose={close} wide>
      <p>
        Paste the certificate that was issued for the request, with those that lead to its root, in any order. It must
        be for time stamping alone.
      </p>
      <Form
        form={form}
        submit="Take the certificate"
        onCancel={close}
        onReload={reload}
        onSubmit={async (v) => {
          await order(seen, 'certificate', { certificates: v.certificates });
          close();
          toast('The timestamp authority has its certificate');
        }}
      >
        <TextField form={form} name="certificates" label="Certificates, PEM" required machine rows={12} autofocus />
      </Form>
    </Dialog>
  );
}

async function saveCsr() {
  try {
    const answer = await api.get<TsaCsr>('/v1/tsa/csr');
    download('timestamp-authority.csr.pem', answer.request, 'application/x-pem-file');
  } catch (e) {
    toastError(e);
  }
}

function disable(of: Tsa) {
  confirmAction({
    title: 'Disable the timestamp authority?',
    consequences: [
      'The very next request for a timestamp is refused. Tools that ask for one fail or sign without.',
      'Tokens issued so far stay valid.',
      'It can be enabled again at any time.',
    ],
    action: 'Disable it',
    danger: true,
    reason: { label: 'Reason', required: true, help: 'It goes into the audit log.' },
    run: (reason) => order(of, 'disable', { reason }),
    done: 'The timestamp authority is disabled',
  });
}

function enable(of: Tsa) {
  confirmAction({
    title: 'Enable the timestamp authority?',
    consequences: [
      'Timestamps are issued again, as the clock allows.',
      'A time that was reached before no longer binds: after a clock that ran ahead, tokens may have earlier times than some issued then.',
    ],
    action: 'Enable it',
    run: () => order(of, 'enable', {}),
    done: 'The timestamp authority is enabled',
  });
}

function Actions({ of }: { of: Tsa }) {
  if (!isAdministrator.value || of.mode === 'relay') return null;
  const ask = (what: keyof typeof orders) => openDialog((close) => <Order of={of} what={what} close={close} />);
  if (of.state === 'none')
    return (
      <Button kind="primary" icon="plus" onClick={() => ask('create')}>
        Make the authority
      </Button>
    );
  return (
    <>
      <Button icon="reload" onClick={() => ask('rotate')}>
        New key
      </Button>
      {of.active && (
        <Button icon="certificate" onClick={() => ask('renew')}>
          Renew
        </Button>
      )}
      {of.state === 'disabled' ? (
        <Button kind="primary" onClick={() => enable(of)}>
          Enable
        </Button>
      ) : (
        <Button kind="danger" onClick={() => disable(of)}>
          Disable
        </Button>
      )}
    </>
  );
}

// ---- what is shown

const milliseconds = (ms: number) => `${number(ms)} ms`;

function Clock({ of: { clock, accuracy_ms: accuracy } }: { of: Tsa }) {
  return (
    <Card title="Clock">
      <Facts
        rows={[
          [
            'Synchronised',
            clock.checked ? (
              <Badge tone={clock.synchronised ? 'good' : 'bad'}>{clock.synchronised ? 'Yes' : 'No'}</Badge>
            ) : (
              'not looked at'
            ),
          ],
          ['Estimated error', clock.checked ? milliseconds(clock.estimated_error_ms) : undefined],
          ['Error at most', clock.checked ? milliseconds(clock.maximum_error_ms) : undefined],
          ['Accuracy in tokens', milliseconds(accuracy)],
        ]}
      />
      <p class="small muted">As the kernel tells it. No token is issued by a clock that may be further off.</p>
    </Card>
  );
}

function Service({ of: tsa }: { of: Tsa }) {
  return (
    <Card title="Service">
      <Facts
        rows={[
          ['Address', <Code text={`${location.origin}/tsa`} label="address" />],
          ['Tokens come from', tsa.mode === 'relay' ? 'authorities outside' : 'the key here'],
          ['Policy', <Code text={tsa.policy} label="policy" />],
          ['Audit records', tsa.record === 'all' ? 'one for each token' : 'none for tokens'],
          ['Made', tsa.created ? <Time at={tsa.created} /> : undefined],
        ]}
      />
      <details>
        <summary>Try it</summary>
        <CodeBlock
          label="commands that ask for a timestamp"
          text={`openssl ts -query -data file -sha256 -cert -out file.tsq\ncurl --cacert server-ca.pem -H 'Content-Type: application/timestamp-query' \\\n    --data-binary @file.tsq -o file.tsr ${location.origin}/tsa\nopenssl ts -reply -in file.tsr -text\n`}
        />
      </details>
    </Card>
  );
}

function KeyCard({ of: key, title, tsa }: { of: TsaKey; title: string; tsa: Tsa }) {
  const isPending = key.state === 'pending';
  return (
    <Card
      title={title}
      wide
      actions={
        isPending &&
        isAdministrator.value && (
          <>
            <Button icon="download" onClick={() => void saveCsr()}>
              Request
            </Button>
            <Button kind="primary" onClick={() => openDialog((close) => <TakeCertificate of={tsa} close={close} />)}>
              Certificate
            </Button>
          </>
        )
      }
    >
      <Facts
        rows={[
          ['Version', key.version],
          ['Type', nameOf(key.type)],
          ['Subject', key.certificate ? undefined : key.subject],
          ['CKA_ID', <Code text={key.cka_id} label="CKA_ID" />],
          ['Made', <Time at={key.created} />],
        ]}
      />
      {key.certificate ? (
        <Chain certificates={[key.certificate, ...key.chain]} name="timestamp-authority" />
      ) : (
        <Empty icon="certificate" title="It waits for its certificate" />
      )}
    </Card>
  );
}

function Relay({ of }: { of: Tsa['relay'] }) {
  return (
    <Card title="Authorities outside" flush>
      <Table
        caption="Authorities outside, in the order they are asked"
        rows={of}
        id={(u) => u.url}
        columns={[
          { head: 'Address', kind: 'main', cell: (u) => <code>{u.url}</code> },
          { head: 'State', cell: (u) => <Badge state={u.state} /> },
          { head: 'Failures in a row', kind: 'number', cell: (u) => number(u.failures) },
          { head: 'Tokens', kind: 'number', cell: (u) => number(u.granted) },
        ]}
      />
    </Card>
  );
}

function State({ of: tsa }: { of: Tsa }) {
  if (tsa.state === 'disabled')
    return (
      <Note tone="warn" title="The timestamp authority is disabled: it issues nothing.">
        {tsa.disabled_reason && `Reason: ${tsa.disabled_reason}`}
      </Note>
    );
  if (tsa.state === 'none' && tsa.mode === 'authority') return null;
  if (tsa.ready) return <Note tone="good" title="Timestamps are issued." />;
  return (
    <Note tone="bad" title="No timestamp is issued now.">
      {tsa.reason && capital(tsa.reason)}
    </Note>
  );
}

const refused = (count: Tsa['today']) => `${number(count.refused)} refused`;

export function Timestamps() {
  const found = useQuery<Tsa>('/v1/tsa', { every: 10_000 });
  const tsa = found.data;
  const lead =
    'Says that something existed at a time, so that a signature stays valid after its certificate has ended.';
  if (!tsa)
    return (
      <>
        <PageHead title="Timestamps" lead={lead} />
        {found.error ? <Problem error={found.error} retry={found.reload} /> : <Loading lines={8} />}
      </>
    );
  const hasKey = tsa.state !== 'none';
  return (
    <>
      <PageHead
        title="Timestamps"
        lead={lead}
        badge={tsa.mode === 'relay' ? <Badge tone="info">Relay</Badge> : hasKey && <Badge state={tsa.state} />}
      >
        <Actions of={tsa} />
      </PageHead>
      {!!found.error && <Problem error={found.error} retry={found.reload} />}
      <State of={tsa} />
      {!hasKey && tsa.mode === 'authority' ? (
        <Card>
          <Empty icon="clock" title="There is no timestamp authority yet">
            An administrator makes one; its key is made in the HSM.
          </Empty>
        </Card>
      ) : (
        <Grid columns={4}>
          <Figure label="Issued today" value={number(tsa.today.granted)} detail={refused(tsa.today)} />
          <Figure label="Issued in all" value={number(tsa.total.granted)} detail={refused(tsa.total)} />
        </Grid>
      )}
      <Stack>
        {tsa.relay.length > 0 && <Relay of={tsa.relay} />}
        <Grid>
          <Service of={tsa} />
          <Clock of={tsa} />
          {tsa.pending && <KeyCard of={tsa.pending} title="Key that waits" tsa={tsa} />}
          {tsa.active && <KeyCard of={tsa.active} title="Key and certificate" tsa={tsa} />}
        </Grid>
      </Stack>
    </>
  );
}
