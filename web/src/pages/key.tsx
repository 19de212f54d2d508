// SPDX-License-Identifier: Apache-2.0
// One signing key: what it is, how it is used, its versions, certificates and policy, and what can be done with it.
import { useState } from 'preact/hooks';
import { path } from '../api/client';
import { readsAll, role } from '../api/session';
import type { Key, KeyVersion, Page, PolicyVersion } from '../api/types';
import type { PageProps } from '../app/page';
import { href } from '../app/router';
import { certificateOf } from '../lib/der';
import { keyName } from '../lib/keys';
import { download, nameOf, number, pemOf } from '../lib/text';
import {
  Badge,
  Button,
  Card,
  Code,
  Empty,
  Facts,
  Grid,
  LinkButton,
  Loading,
  PageHead,
  Problem,
  Time,
} from '../ui/basic';
import { CertificateFacts } from '../ui/certificate';
import { PolicyView } from '../ui/policy';
import { useQuery, type Loaded } from '../ui/query';
import { Tabs } from '../ui/tabs';
import { UsageCard } from '../ui/usage_chart';
import { KeyActions, KeyNotes } from './key_actions';
import { Certificates } from './key_certificate';
import { RevokeButton } from './key_revoke';
import { CertificateEnd } from './keys';

const attributeWords: [keyof NonNullable<Key['hsm']>, boolean, string][] = [
  ['sensitive', true, 'sensitive'],
  ['always_sensitive', true, 'always sensitive'],
  ['extractable', false, 'not extractable'],
  ['never_extractable', true, 'never extractable'],
  ['local', true, 'made in the HSM'],
];

/** As read back from the private key (I3). */
function Attributes({ of }: { of: NonNullable<Key['hsm']> }) {
  return (
    <ul class="words">
      {attributeWords.map(([name, wanted, text]) => (
        <li key={name}>{of[name] === wanted ? text : <Badge tone="bad">not: {text}</Badge>}</li>
      ))}
    </ul>
  );
}

const Words = ({ list }: { list: string[] }) =>
  list.length === 0 ? (
    <span class="muted">none</span>
  ) : (
    <ul class="words">
      {list.map((w) => (
        <li key={w}>{nameOf(w)}</li>
      ))}
    </ul>
  );

function About({ of: key }: { of: Key }) {
  return (
    <Grid>
      <UsageCard title="Signatures in the last 30 days" of={{ key: key.id }} report={{ key: keyName(key) }} wide />
      <Card title="Key">
        <Facts
          rows={[
            ['Project', <a href={href('/projects', key.project)}>{key.project}</a>],
            ['Type', nameOf(key.type)],
            ['Version', key.version === 0 ? 'not made yet' : key.version],
            ['Mechanisms', <Words list={key.mechanisms} />],
            ['Hashes', <Words list={key.hashes} />],
            ['Certificate until', <CertificateEnd of={key} />],
            ['Created', <Time at={key.created} />],
            ['Retired', key.retired ? <Time at={key.retired} /> : undefined],
          ]}
        />
      </Card>
      <Card title="In the HSM">
        <Facts
          rows={[
            ['HSM', readsAll.value ? <a href={href('/hsms', key.hsm_name)}>{key.hsm_name}</a> : key.hsm_name],
            ['Attributes', key.hsm ? <Attributes of={key.hsm} /> : 'not made yet'],
            ['CKA_LABEL', <Code text={`${key.project}-${key.label}`} label="CKA_LABEL" />],
            ['CKA_ID', key.cka_id ? <Code text={key.cka_id} label="CKA_ID" /> : undefined],
            ['Id', <Code text={key.id} label="id" />],
            [
              'Public key',
              key.public_key ? (
                <Button
                  icon="download"
                  onClick={() =>
                    download(
                      `${key.project}-${key.label}.pub.pem`,
                      pemOf(key.public_key!, 'PUBLIC KEY'),
                      'application/x-pem-file',
                    )
                  }
                >
                  {key.project}-{key.label}.pub.pem
                </Button>
              ) : undefined,
            ],
          ]}
        />
      </Card>
    </Grid>
  );
}

function VersionCard({ of: v, belongsTo: key }: { of: KeyVersion; belongsTo: Key }) {
  const name = `${key.project}-${key.label}`;
  const serial = v.certificate && certificateOf(v.certificate)?.serial;
  return (
    <Card
      title={
        <>
          Version {v.version} <Badge state={v.state} />
        </>
      }
      actions={serial && <RevokeButton of={key} certificate={{ ...v, serial }} text="Revoke certificate" />}
    >
      <Facts
        rows={[
          ['Type', nameOf(v.type)],
          ['Created', <Time at={v.created} />],
          ['HSM', v.hsm_name],
          ['Grace until', v.grace_until ? <Time at={v.grace_until} /> : undefined],
          ['CKA_ID', <Code text={v.cka_id} label={`CKA_ID of version ${v.version}`} />],
          ['Attributes', <Attributes of={v.hsm} />],
          ['Findings', v.findings ?? undefined],
        ]}
      />
      {v.certificate && (
        <>
          <h3>Certificate</h3>
          <CertificateFacts der={v.certificate} name={`${name}-v${v.version}`} revoked={v.revoked} />
        </>
      )}
      {v.replaced_certificates.length > 0 && (
        <details>
          <summary>Certificates before this one: {v.replaced_certificates.length}</summary>
          {v.replaced_certificates.map((c, i) => (
            <div key={i} class="stack">
              <p class="muted">
                Replaced <Time at={c.replaced} />
              </p>
              <CertificateFacts der={c.certificate} name={`${name}-v${v.version}-replaced-${i + 1}`} />
            </div>
          ))}
        </details>
      )}
    </Card>
  );
}

/** Of a key that was rotated often, the newest are what is looked for. */
const versionsAtFirst = 10;

function Versions({ of: key }: { of: Key }) {
  const [showsAll, setShowsAll] = useState(false);
  const versions = useQuery<Page<KeyVersion>>(path`/v1/keys/${key.id}/versions`);
  if (versions.error && !versions.data) return <Problem error={versions.error} retry={versions.reload} />;
  if (!versions.data) return <Loading lines={6} />;
  const { items } = versions.data;
  if (items.length === 0) return <Empty icon="key" title="The HSM has not made this key yet" />;
  return (
    <>
      {items.slice(0, showsAll ? undefined : versionsAtFirst).map((v) => (
        <VersionCard key={v.version} of={v} belongsTo={key} />
      ))}
      {!showsAll && items.length > versionsAtFirst && (
        <p>
          <Button icon="down" onClick={() => setShowsAll(true)}>
            Show all {number(items.length)} versions
          </Button>
        </p>
      )}
    </>
  );
}

function OnePolicy({
  title,
  of,
  scope,
  aside,
  none,
  to,
}: {
  title: string;
  of: Loaded<PolicyVersion>;
  scope: string;
  aside?: string;
  /** Said where there is no policy. */
  none?: string;
  /** Where it is changed. */
  to: string;
}) {
  return (
    <Card
      title={title}
      actions={
        <>
          {aside && <span class="muted">{aside}</span>}
          <a href={to}>
            Open<span class="hidden">: {title}</span>
          </a>
        </>
      }
    >
      {of.data && !of.data.document && none ? (
        <p class="muted">{none}</p>
      ) : of.data ? (
        <PolicyView of={of.data} scope={scope} />
      ) : of.error ? (
        <Problem error={of.error} retry={of.reload} />
      ) : (
        <Loading />
      )}
    </Card>
  );
}

function Policies({ of: key }: { of: Key }) {
  const own = useQuery<PolicyVersion>(path`/v1/keys/${key.id}/policy`);
  const project = useQuery<PolicyVersion>(path`/v1/projects/${key.project}/policy`);
  const platform = useQuery<PolicyVersion>('/v1/policy');
  const hasOwn = !!own.data?.document;
  const name = keyName(key);
  return (
    <>
      <p class="actions">
        <LinkButton icon="settings" to={href('/keys', name, 'policy')}>
          {role.value === 'auditor' ? 'Versions of its policy' : 'Change its policy'}
        </LinkButton>
        <LinkButton icon="file" to={href('/keys', name, 'digests')}>
          Listed digests
        </LinkButton>
      </p>
      <p class="lead">
        Two policies count for a signature: that of the platform, and that of the key, or, where the key has none, that
        of its project.
      </p>
      <OnePolicy
        title={`Policy of the key ${name}`}
        of={own}
        scope="this key"
        none="This key has no policy of its own: that of its project counts."
        to={href('/keys', name, 'policy')}
      />
      <OnePolicy
        title={`Policy of the project ${key.project}`}
        of={project}
        scope="the project"
        to={href('/projects', key.project, 'policy')}
        aside={hasOwn ? 'Does not count here: the key has its own' : undefined}
      />
      <OnePolicy title="Policy of the platform" of={platform} scope="the platform" to={href('/policy')} />
    </>
  );
}

export function KeyPage({ params }: PageProps) {
  const found = useQuery<Key>(path`/v1/keys/${params.key!}`);
  const crumbs: [string, string][] = [['Keys', href('/keys')]];
  if (!found.data)
    return (
      <>
        <PageHead title={params.key} crumbs={crumbs} />
        {found.error ? <Problem error={found.error} retry={found.reload} /> : <Loading lines={8} />}
      </>
    );
  const key = found.data;
  return (
    <>
      <PageHead title={keyName(key)} crumbs={crumbs} badge={<Badge state={key.state} />}>
        {readsAll.value && (
          <LinkButton icon="audit" to={href('/audit', { key: keyName(key) })}>
            Records
          </LinkButton>
        )}
        <LinkButton icon="explain" to={href('/explain', { key: keyName(key) })}>
          Explain access
        </LinkButton>
        <KeyActions of={key} />
      </PageHead>
      {!!found.error && <Problem error={found.error} retry={found.reload} />}
      <KeyNotes of={key} />
      <Tabs
        label={`Parts of ${keyName(key)}`}
        tabs={[
          { id: 'about', label: 'About', view: () => <About of={key} /> },
          { id: 'versions', label: 'Versions', view: () => <Versions of={key} /> },
          { id: 'certificate', label: 'Certificate', view: () => <Certificates of={key} /> },
          { id: 'policy', label: 'Policy', view: () => <Policies of={key} /> },
        ]}
      />
    </>
  );
}
