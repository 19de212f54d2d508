// SPDX-License-Identifier: Apache-2.0
// One certificate authority: its certificate, what it issued, revocation, its CRL.
import { api, path } from '../api/client';
import { isAdministrator, readsAll } from '../api/session';
import type { Ca, IssuedCertificate } from '../api/types';
import type { PageProps } from '../app/page';
import { href } from '../app/router';
import { capital, download, human, number } from '../lib/text';
import { Badge, Button, Card, Code, Empty, Facts, Grid, Loading, Note, PageHead, Problem, Time } from '../ui/basic';
import { CertificateFacts } from '../ui/certificate';
import { confirmAction, Dialog, openDialog } from '../ui/dialog';
import { Filters, SelectFilter, useFilter } from '../ui/filter';
import { Form, TextField, useForm } from '../ui/form';
import { usePages, useQuery } from '../ui/query';
import { useSeen } from '../ui/seen';
import { OnCrl, RevokeDialog } from '../ui/revoke';
import { PagedTable } from '../ui/table';
import { Tabs } from '../ui/tabs';
import { toast, toastError } from '../ui/toast';
import { caState, purposes } from './cas';

const pem = 'application/x-pem-file';

// ---- revocation

const Revoke = ({ of, close }: { of: IssuedCertificate; close: () => void }) => (
  <RevokeDialog
    title={`Revoke the certificate of ${of.subject}?`}
    serial={of.serial}
    consequences={[<OnCrl serial={of.serial} />]}
    signing="A key whose present certificate this is signs no more until it has another one, unless its policy allows a revoked one."
    run={async (body) => {
      await api.post(path`/v1/cas/${of.ca}/certificates/${of.serial}/revoke`, body);
      return `Certificate ${of.serial} is revoked`;
    }}
    close={close}
  />
);

const issuedState = (c: IssuedCertificate) => {
  if (c.revoked)
    return (
      <Badge tone="bad">
        revoked <Time at={c.revoked} style="ago" />
      </Badge>
    );
  return new Date(c.not_after) < new Date() ? <Badge state="expired" /> : <Badge tone="good">Valid</Badge>;
};

function Issued({ of: ca }: { of: Ca }) {
  const filter = useFilter('state');
  const pages = usePages<IssuedCertificate>(path`/v1/cas/${ca.name}/certificates`, filter);
  return (
    <>
      <Filters>
        <SelectFilter
          name="state"
          label="State"
          choices={['valid', 'expiring', 'expired', 'revoked'].map((s) => [s, capital(s)])}
        />
      </Filters>
      <Card flush>
        <PagedTable
          caption={`Certificates issued by ${ca.name}`}
          pages={pages}
          id={(c) => c.serial}
          empty={
            <Empty
              icon="certificate"
              title={filter.state ? 'No certificate is in this state' : `${ca.name} has issued nothing yet`}
            />
          }
          columns={[
            { head: 'Subject', kind: 'main', cell: (c) => c.subject },
            {
              head: 'For',
              cell: (c) =>
                c.key ? <a href={href('/keys', c.key)}>Signing key, version {c.version}</a> : capital(human(c.profile)),
            },
            { head: 'Serial number', cell: (c) => <Code text={c.serial} label="serial number" short={12} /> },
            { head: 'Until', cell: (c) => <Time at={c.not_after} style="date" /> },
            { head: 'State', cell: issuedState },
            ...(isAdministrator.value
              ? [
                  {
                    head: 'Actions',
                    kind: 'actions' as const,
                    cell: (c: IssuedCertificate) =>
                      !c.revoked && (
                        <Button
                          kind="quiet"
                          title={`Revoke ${c.serial}`}
                          onClick={() => openDialog((close) => <Revoke of={c} close={close} />)}
                        >
                          Revoke
                        </Button>
                      ),
                  },
                ]
              : []),
          ]}
        />
      </Card>
    </>
  );
}

// ---- the CA itself

function TakeCertificate({ of: ca, close }: { of: Ca; close: () => void }) {
  const form = useForm({ certificate: '' });
  const { seen, reload } = useSeen(ca, path`/v1/cas/${ca.name}`);
  return (
    <Dialog title={`Certificate for ${ca.name}`} onClose={close} wide>
      <p>
        Paste the certificate that was issued for the request of this CA, with the whole chain up to its root, in any
        order.
      </p>
      <Form
        form={form}
        submit="Take the certificate"
        onCancel={close}
        onReload={reload}
        onSubmit={async (v) => {
          const taken = await api.put<{ findings: string[] }>(
            path`/v1/cas/${ca.name}/certificate`,
            { certificate: v.certificate },
            { revision: seen.revision },
          );
          close();
          toast(`${ca.name} has its certificate`);
          for (const finding of taken.findings) toast(capital(finding), 'bad');
        }}
      >
        <TextField form={form} name="certificate" label="Certificates, PEM" required machine rows={12} autofocus />
      </Form>
    </Dialog>
  );
}

async function downloadOf(ca: Ca, what: 'csr' | 'crl') {
  try {
    const answer = await api.get<Record<string, string>>(path`/v1/cas/${ca.name}/${what}`);
    download(`${ca.name}.${what}.pem`, answer[what]!, pem);
  } catch (e) {
    toastError(e);
  }
}

function setState(ca: Ca, state: 'active' | 'retired') {
  const retires = state === 'retired';
  confirmAction({
    title: retires ? `Retire the CA ${ca.name}?` : `Take the CA ${ca.name} into use again?`,
    consequences: retires
      ? [
          'It issues nothing any more. CRLs and OCSP answers for what it issued go on.',
          'It can be taken into use again.',
        ]
      : ['It issues certificates again.'],
    action: retires ? 'Retire the CA' : 'Take it into use',
    danger: retires,
    run: () => api.patch(path`/v1/cas/${ca.name}`, { state }, { revision: ca.revision }),
    done: retires ? `${ca.name} is retired` : `${ca.name} is in use again`,
  });
}

function About({ of: ca }: { of: Ca }) {
  const der = ca.certificate?.replace(/-----[^-]+-----|\s/g, '');
  return (
    <Grid>
      <Card title="Certificate">
        {der ? (
          <CertificateFacts der={der} name={ca.name} />
        ) : (
          <Empty icon="certificate" title="It waits for its certificate" />
        )}
      </Card>
      <Card title="Service">
        <Facts
          rows={[
            ['For', purposes[ca.purpose]],
            [
              'Certified by',
              ca.parent ? (
                <a href={href('/cas', ca.parent)}>{ca.parent}</a>
              ) : ca.purpose === 'root' ? (
                'itself'
              ) : (
                'somebody outside'
              ),
            ],
            ['Policy', ca.policy ? <Code text={ca.policy} label="policy" /> : 'none'],
            ['Certificates it issues', `for ${number(ca.leaf_days)} days`],
            [
              'CRL',
              `number ${number(ca.crl_number)}, ${number(ca.revocations)} revoked, for ${number(ca.crl_days)} days`,
            ],
            ['Next CRL', ca.crl_next_update ? <Time at={ca.crl_next_update} /> : undefined],
            ['CRL address', ca.crl_url ? <Code text={ca.crl_url} label="CRL address" /> : undefined],
            ['OCSP address', ca.ocsp_url ? <Code text={ca.ocsp_url} label="OCSP address" /> : undefined],
            [
              'Certificate address',
              ca.certificate_url ? <Code text={ca.certificate_url} label="certificate address" /> : undefined,
            ],
            ['Created', ca.created ? <Time at={ca.created} /> : undefined],
          ]}
        />
      </Card>
    </Grid>
  );
}

export function CaPage({ params }: PageProps) {
  const found = useQuery<Ca>(path`/v1/cas/${params.ca!}`);
  const crumbs: [string, string][] = [['Certificate authorities', href('/cas')]];
  if (!found.data)
    return (
      <>
        <PageHead title={params.ca} crumbs={crumbs} />
        {found.error ? <Problem error={found.error} retry={found.reload} /> : <Loading lines={8} />}
      </>
    );
  const ca = found.data;
  const waits = ca.state === 'awaiting_certificate';
  return (
    <>
      <PageHead title={ca.name} crumbs={crumbs} badge={caState(ca.state)} lead={ca.subject}>
        {waits && isAdministrator.value && (
          <>
            <Button icon="download" onClick={() => void downloadOf(ca, 'csr')}>
              Request
            </Button>
            <Button kind="primary" onClick={() => openDialog((close) => <TakeCertificate of={ca} close={close} />)}>
              Certificate
            </Button>
          </>
        )}
        {!waits && (
          <Button icon="download" onClick={() => void downloadOf(ca, 'crl')}>
            CRL
          </Button>
        )}
        {isAdministrator.value && ca.purpose !== 'root' && ca.state === 'active' && (
          <Button kind="danger" onClick={() => setState(ca, 'retired')}>
            Retire
          </Button>
        )}
        {isAdministrator.value && ca.state === 'retired' && (
          <Button onClick={() => setState(ca, 'active')}>Use again</Button>
        )}
      </PageHead>
      {waits && (
        <Note title="This CA waits for its certificate.">
          Have its request certified outside, and bring the certificate with its chain here.
        </Note>
      )}
      <Tabs
        label={`Parts of ${ca.name}`}
        tabs={[
          { id: 'about', label: 'About', view: () => <About of={ca} /> },
          ...(readsAll.value ? [{ id: 'issued', label: 'Issued certificates', view: () => <Issued of={ca} /> }] : []),
        ]}
      />
    </>
  );
}
