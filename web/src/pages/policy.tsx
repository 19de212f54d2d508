// SPDX-License-Identifier: Apache-2.0
// The policy of the platform, a project or a key: editing, versions, and the freeze switch of platform and project.
import { useState } from 'preact/hooks';
import { api, path, withQuery } from '../api/client';
import { isAdministrator, role } from '../api/session';
import type { Freeze, Key, Page, PolicyVersion, Project } from '../api/types';
import type { PageProps } from '../app/page';
import { href, navigate, setQuery } from '../app/router';
import { keyName } from '../lib/keys';
import { textOf } from '../lib/policy';
import { Badge, Button, Card, Empty, LinkButton, Loading, Note, PageHead, Problem, Time } from '../ui/basic';
import { Dialog, confirmAction, openDialog } from '../ui/dialog';
import { Diff } from '../ui/diff';
import { Form, useForm } from '../ui/form';
import { KeyField } from '../ui/key_field';
import { PolicyView } from '../ui/policy';
import { usePages, useQuery } from '../ui/query';
import { PagedTable } from '../ui/table';
import { Tabs } from '../ui/tabs';
import { PolicyEditor, type Draft, type Place } from './policy_editor';

function placeOf(params: Record<string, string>, key: Key | undefined): Place {
  if (params.key) {
    const name = key ? keyName(key) : params.key;
    return {
      base: path`/v1/keys/${params.key}/policy`,
      name: `the key ${name}`,
      scope: { key: params.key },
      kind: 'key',
    };
  }
  if (params.project) {
    const base = path`/v1/projects/${params.project}/policy`;
    return { base, name: `the project ${params.project}`, scope: { project: params.project }, kind: 'project' };
  }
  return { base: '/v1/policy', name: 'the platform', scope: {}, kind: 'platform' };
}

// ---- versions

function VersionDialog({
  place,
  version,
  close,
  restore,
}: {
  place: Place;
  version: PolicyVersion;
  close: () => void;
  restore: (() => void) | null;
}) {
  const before = useQuery<Page<PolicyVersion>>(
    version.version > 1 ? withQuery(`${place.base}/versions`, { after: version.version, limit: 1 }) : null,
  );
  const earlier = version.version > 1 ? before.data?.items[0] : ({ version: 0, document: null } as PolicyVersion);
  return (
    <Dialog title={`Version ${version.version} of the policy of ${place.name}`} onClose={close} wide>
      <p class="muted">
        Saved by {version.author ?? 'the server'}, <Time at={version.created} />
      </p>
      <h3>What it changed</h3>
      {earlier ? (
        <Diff before={textOf(earlier.document)} after={textOf(version.document)} label="What it changed" />
      ) : before.error ? (
        <Problem error={before.error} retry={before.reload} />
      ) : (
        <Loading />
      )}
      <h3>The whole</h3>
      {version.document ? <PolicyView of={version} scope={place.name} /> : <p class="muted">The policy was removed.</p>}
      {restore && (
        <p class="actions">
          <Button
            icon="reload"
            onClick={() => {
              close();
              restore();
            }}
          >
            Begin a new version with this one
          </Button>
        </p>
      )}
    </Dialog>
  );
}

function Versions({ place, restore }: { place: Place; restore: ((version: PolicyVersion) => void) | null }) {
  const pages = usePages<PolicyVersion>(`${place.base}/versions`);
  const show = (version: PolicyVersion) =>
    openDialog((close) => (
      <VersionDialog place={place} version={version} close={close} restore={restore && (() => restore(version))} />
    ));
  return (
    <Card flush>
      <PagedTable
        caption={`Versions of the policy of ${place.name}`}
        pages={pages}
        id={(v) => String(v.version)}
        empty={<Empty icon="settings" title={`There never was a policy of ${place.name}`} />}
        columns={[
          { head: 'Version', kind: 'main', cell: (v) => `Version ${v.version}` },
          { head: 'Saved', cell: (v) => <Time at={v.created} /> },
          { head: 'By', cell: (v) => v.author ?? 'the server' },
          {
            head: 'Rules',
            cell: (v) =>
              v.document === null ? (
                <span class="muted">removed</span>
              ) : (
                Object.keys(v.document).join(', ') || <span class="muted">none</span>
              ),
          },
          {
            head: 'Actions',
            kind: 'actions',
            cell: (v) => (
              <Button onClick={() => show(v)} title={`What version ${v.version} changed`}>
                Show
              </Button>
            ),
          },
        ]}
      />
    </Card>
  );
}

// ---- freeze

function freezeConfirmation(place: Place, base: string, frozen: boolean) {
  const name = place.kind === 'platform' ? 'platform' : place.scope.project!;
  const all = place.kind === 'platform' ? 'any key of any project' : `any key of ${name}`;
  confirmAction({
    title: frozen ? `Freeze signing for ${place.name}?` : `Let ${place.name} sign again?`,
    consequences: frozen
      ? [
          `The very next signature with ${all} is refused, whoever asks and whatever was approved.`,
          'Keys, roles and policies stay as they are, and it can be undone at any time.',
        ]
      : [`Signatures with ${all} are made again, as roles and policies allow.`],
    action: frozen ? 'Freeze signing' : 'Unfreeze signing',
    danger: frozen,
    reason: { label: 'Reason', required: true, help: 'Signers are told, and it goes into the audit log.' },
    ...(frozen ? { typeName: name, canBeUndone: true } : {}),
    run: (reason) => api.post(`${base}/${frozen ? 'freeze' : 'unfreeze'}`, { reason }),
    done: frozen ? `Signing is frozen for ${place.name}` : `${place.name} signs again`,
  });
}

function FreezeCard({ place, mayChange }: { place: Place; mayChange: boolean }) {
  const base = place.base.replace(/\/policy$/, '');
  const state = useQuery<Freeze>(`${base}/freeze`);
  if (state.error && !state.data) return <Problem error={state.error} retry={state.reload} />;
  if (!state.data) return <Loading />;
  const { frozen, reason, author, since } = state.data;
  return (
    <Card
      title={`Signing for ${place.name}`}
      actions={
        mayChange && (
          <Button
            icon="snow"
            kind={frozen ? 'plain' : 'danger'}
            onClick={() => freezeConfirmation(place, base, !frozen)}
          >
            {frozen ? 'Unfreeze signing' : 'Freeze signing'}
          </Button>
        )
      }
    >
      {frozen ? (
        <Note tone="bad" title="Signing is frozen: nothing is signed">
          {author} froze it <Time at={since} style="ago" />: {reason}
        </Note>
      ) : (
        <Note tone="good" title="Signing is not frozen" />
      )}
      <p class="muted">
        The freeze switch stops every signature of {place.kind === 'platform' ? 'every project' : place.name} at once,
        such as while a break-in is looked into. Nothing else changes, so that it can be undone without harm.
      </p>
    </Card>
  );
}

// ---- the page

function Editing({ place, draft, setDraft }: { place: Place; draft: Draft | null; setDraft: (draft: Draft) => void }) {
  const now = useQuery<PolicyVersion>(place.base, { every: 30_000 });
  if (now.error && !now.data) return <Problem error={now.error} retry={now.reload} />;
  if (!now.data) return <Loading lines={8} />;
  const mayEdit = place.kind === 'platform' ? isAdministrator.value : role.value !== 'auditor';
  if (!mayEdit)
    return (
      <Card title={`Policy of ${place.name}`}>
        <PolicyView of={now.data} scope={place.name} />
      </Card>
    );
  return (
    <>
      {place.kind === 'key' && now.data.document === null && (
        <NoOwnPolicy place={place} now={now.data} begin={setDraft} />
      )}
      <PolicyEditor
        place={place}
        now={now.data}
        reload={now.reload}
        draft={draft ?? { policy: now.data.document ?? {}, basis: now.data }}
        setDraft={setDraft}
      />
    </>
  );
}

function NoOwnPolicy({ place, now, begin }: { place: Place; now: PolicyVersion; begin: (draft: Draft) => void }) {
  const key = useQuery<Key>(path`/v1/keys/${place.scope.key!}`);
  const projects = useQuery<PolicyVersion>(key.data ? path`/v1/projects/${key.data.project}/policy` : null);
  const document = projects.data?.document;
  return (
    <Note title="This key has no policy of its own: that of its project counts">
      One that is saved here counts instead of the project’s, not beside it. The platform’s counts always.
      {document && (
        <p class="actions">
          <Button icon="copy" onClick={() => begin({ policy: document, basis: now })}>
            Begin with the project’s
          </Button>
        </p>
      )}
    </Note>
  );
}

function crumbsOf(place: Place, key: Key | undefined): [string, string][] {
  if (place.kind === 'key')
    return [
      ['Keys', href('/keys')],
      [key ? keyName(key) : place.scope.key!, href('/keys', place.scope.key!)],
    ];
  if (place.kind === 'project')
    return [
      ['Projects', href('/projects')],
      [place.scope.project!, href('/projects', place.scope.project!)],
    ];
  return [];
}

const leads: Record<Place['kind'], string> = {
  platform: 'What no project and no key may go beyond. It counts for every signature.',
  project: 'What the keys of this project may be used for. A key with a policy of its own goes by that instead.',
  key: 'What this key may be used for. It counts instead of the policy of its project; the platform’s counts always.',
};

/** The way to the policies of projects and keys. */
function OtherPolicies() {
  const form = useForm({ key: '' });
  return (
    <Card title="Policy of a project or a key">
      <Form
        form={form}
        submit="Open"
        onSubmit={async (v) => {
          const name = v.key.trim();
          const found = name.includes(':')
            ? await api.get<Key>(path`/v1/keys/${name}`).then((k) => href('/keys', keyName(k), 'policy'))
            : await api.get<Project>(path`/v1/projects/${name}`).then((p) => href('/projects', p.name, 'policy'));
          navigate(found);
        }}
      >
        <KeyField form={form} label="Project, or project:label of a key" />
      </Form>
    </Card>
  );
}

export function PolicyPage({ params }: PageProps) {
  const [draft, setDraft] = useState<Draft | null>(null);
  const key = useQuery<Key>(params.key ? path`/v1/keys/${params.key}` : null).data;
  const place = placeOf(params, key);
  const frozen = useQuery<Freeze>(place.kind === 'key' ? null : place.base.replace(/\/policy$/, '/freeze')).data
    ?.frozen;
  const mayChange = place.kind === 'platform' ? isAdministrator.value : role.value !== 'auditor';
  const restore = (version: PolicyVersion) => {
    setDraft((d) => ({ policy: version.document ?? {}, basis: d?.basis ?? version }));
    setQuery({ tab: null });
  };
  const crumbs = crumbsOf(place, key);
  const title = place.kind === 'platform' ? 'Policy and freeze' : `Policy of ${place.name}`;
  return (
    <>
      <PageHead
        title={title}
        crumbs={crumbs.length ? crumbs : undefined}
        lead={leads[place.kind]}
        badge={frozen ? <Badge tone="bad">Frozen</Badge> : undefined}
      >
        {place.kind === 'key' && (
          <LinkButton icon="file" to={href('/keys', place.scope.key!, 'digests')}>
            Listed digests
          </LinkButton>
        )}
        {place.kind !== 'platform' && (
          <LinkButton
            icon="explain"
            to={href('/explain', { key: place.kind === 'key' ? key && keyName(key) : `${place.scope.project!}:` })}
          >
            Explain access
          </LinkButton>
        )}
      </PageHead>
      <Tabs
        label={`Parts of the policy of ${place.name}`}
        tabs={[
          { id: 'policy', label: 'Policy', view: () => <Editing place={place} draft={draft} setDraft={setDraft} /> },
          {
            id: 'versions',
            label: 'Versions',
            view: () => <Versions place={place} restore={mayChange ? restore : null} />,
          },
          ...(place.kind === 'key'
            ? []
            : [{ id: 'freeze', label: 'Freeze', view: () => <FreezeCard place={place} mayChange={mayChange} /> }]),
        ]}
      />
      {place.kind === 'platform' && <OtherPolicies />}
    </>
  );
}
