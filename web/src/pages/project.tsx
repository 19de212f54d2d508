// SPDX-License-Identifier: Apache-2.0
// One project: its keys, who has which role in it, who can sign in effect and why, its policy, its freeze switch.
import { api, path } from '../api/client';
import { isAdministrator, role } from '../api/session';
import type { EffectiveSigner, Freeze, Key, Member, MemberRole, PolicyVersion, Project } from '../api/types';
import type { PageProps } from '../app/page';
import { href } from '../app/router';
import { keyName } from '../lib/keys';
import { capital, nameOf } from '../lib/text';
import { fromInput } from '../lib/time';
import {
  Badge,
  Button,
  Card,
  Empty,
  Facts,
  Grid,
  LinkButton,
  Loading,
  Note,
  PageHead,
  Problem,
  Time,
} from '../ui/basic';
import { confirmAction, Dialog, openDialog } from '../ui/dialog';
import { Form, SelectField, TextField, useForm } from '../ui/form';
import { PolicyView } from '../ui/policy';
import { PrincipalField, PrincipalLink } from '../ui/principal';
import { usePages, useQuery } from '../ui/query';
import { useSeen } from '../ui/seen';
import { PagedTable } from '../ui/table';
import { Tabs } from '../ui/tabs';
import { toast } from '../ui/toast';
import { UsageCard } from '../ui/usage_chart';
import { keyColumns } from './keys';
import { ImportKey } from './import_key';
import { NewKey } from './new_key';

/** Owners are users here: the server judges, this only hides what cannot work. */
const mayManage = () => role.value !== 'auditor';

const roleHelp: Record<MemberRole, string> = {
  owner: 'Administers the project: its keys, signers and policy. Signs nothing by that alone.',
  signer: 'Signs with the keys of the project, as policy allows.',
  approver: 'Approves the use of keys whose policy asks for it; never their own request.',
};

function AddMember({ of, close }: { of: Project; close: () => void }) {
  const form = useForm({ principal: '', role: 'signer', not_before: '', not_after: '' });
  return (
    <Dialog title={`Give a role in ${of.name}`} onClose={close}>
      <Form
        form={form}
        submit="Give the role"
        onCancel={close}
        onSubmit={async (v) => {
          const body = {
            principal: v.principal.trim(),
            role: v.role,
            not_before: fromInput(v.not_before),
            not_after: fromInput(v.not_after),
          };
          const made = await api.create<Member>(path`/v1/projects/${of.id}/members`, body, form.once);
          close();
          toast(`${made.name} is ${made.role} of ${of.name}`);
        }}
      >
        <PrincipalField
          form={form}
          types={['user', 'service_account', 'team']}
          label="User, service account or team"
          autofocus
        />
        <SelectField
          form={form}
          name="role"
          label="Role"
          required
          choices={['owner', 'signer', 'approver'].map((r) => [r, capital(r)])}
          help={roleHelp[form.values.role as MemberRole]}
        />
        <TextField
          form={form}
          name="not_before"
          label="From"
          type="datetime-local"
          help="In your local time. Empty: at once."
        />
        <TextField
          form={form}
          name="not_after"
          label="Until"
          type="datetime-local"
          help="The role ends by itself then. Empty: until it is taken away."
        />
      </Form>
    </Dialog>
  );
}

function removeMember(project: Project, m: Member) {
  confirmAction({
    title: `Take the role ${m.role} from ${m.name}?`,
    consequences: [
      m.role === 'signer'
        ? `The very next signature of ${m.name} with a key of ${project.name} is refused, unless another role allows it.`
        : `${m.name} can no longer act as ${m.role} of ${project.name}, from the next request on.`,
      'What was done so far stays on record.',
    ],
    action: 'Take the role away',
    danger: true,
    run: () => api.delete(path`/v1/projects/${project.id}/members/${m.role}/${m.principal}`),
    done: `${m.name} is no longer ${m.role} of ${project.name}`,
  });
}

function Span({ from, to }: { from: string | null; to: string | null }) {
  if (!from && !to) return <span class="muted">always</span>;
  return (
    <>
      {from && (
        <>
          from <Time at={from} />{' '}
        </>
      )}
      {to && (
        <>
          until <Time at={to} />
        </>
      )}
    </>
  );
}

function Members({ of: project }: { of: Project }) {
  const members = usePages<Member>(path`/v1/projects/${project.id}/members`);
  const effective = usePages<EffectiveSigner>(path`/v1/projects/${project.id}/effective-signers`);
  const add = () => openDialog((close) => <AddMember of={project} close={close} />);
  return (
    <>
      <Card
        title="Roles"
        flush
        actions={
          mayManage() && (
            <Button icon="plus" onClick={add}>
              Give a role
            </Button>
          )
        }
      >
        <PagedTable
          caption={`Roles in ${project.name}`}
          pages={members}
          id={(m) => `${m.role} ${m.principal}`}
          empty={<Empty icon="team" title="Nobody has a role in this project yet" />}
          columns={[
            { head: 'Name', kind: 'main', cell: (m) => <PrincipalLink type={m.type} name={m.name} /> },
            { head: 'Kind', cell: (m) => capital(nameOf(m.type)) },
            { head: 'Role', cell: (m) => capital(m.role) },
            { head: 'When', cell: (m) => <Span from={m.not_before} to={m.not_after} /> },
            { head: 'Since', cell: (m) => <Time at={m.since} style="date" /> },
            ...(mayManage()
              ? [
                  {
                    head: 'Actions',
                    kind: 'actions' as const,
                    cell: (m: Member) => (
                      <Button
                        kind="quiet"
                        onClick={() => removeMember(project, m)}
                        title={`Take the role ${m.role} from ${m.name}`}
                      >
                        Remove
                      </Button>
                    ),
                  },
                ]
              : []),
          ]}
        />
      </Card>
      <Card title="Who can sign in effect, and why" flush>
        <PagedTable
          caption={`Effective signers of ${project.name}`}
          pages={effective}
          id={(s) => s.principal}
          empty={
            <Empty icon="user" title="Nobody can sign with the keys of this project">
              Give somebody, or a team, the role of signer.
            </Empty>
          }
          columns={[
            { head: 'Name', kind: 'main', cell: (s) => <PrincipalLink type={s.type} name={s.name} /> },
            { head: 'Kind', cell: (s) => capital(nameOf(s.type)) },
            {
              head: 'Can sign',
              cell: (s) =>
                s.may_sign ? (
                  <Badge tone="good">Yes</Badge>
                ) : (
                  <Badge tone="warn">No: {obstacles[s.obstacle ?? ''] ?? s.obstacle}</Badge>
                ),
            },
            { head: 'Because', cell: (s) => s.reasons.map((r, i) => <div key={i}>{reason(r)}</div>) },
          ]}
        />
      </Card>
      <p class="small muted">Policy may still refuse a signature: key, hash, time, network, quota, approval.</p>
    </>
  );
}

const obstacles: Record<string, string> = {
  disabled: 'is disabled',
  expired: 'has expired',
  not_in_time: 'outside the time of the role',
};

function reason(r: EffectiveSigner['reasons'][number]) {
  const by = r.by === 'team' ? `is in the team ${r.team}, a signer` : 'is a signer';
  const when = { in_time: '', not_yet: ', but not yet', ended: ', but no more' }[r.time];
  return (
    <>
      {by}
      {when}
      {(r.not_before || r.not_after) && (
        <>
          {' '}
          (<Span from={r.not_before} to={r.not_after} />)
        </>
      )}
    </>
  );
}

function Keys({ of: project }: { of: Project }) {
  const keys = usePages<Key>('/v1/keys', { project: project.name }, { name: keyName });
  const create = () => openDialog((close) => <NewKey project={project.name} close={close} />);
  return (
    <Card
      title="Signing keys"
      flush
      actions={
        mayManage() && (
          <>
            {isAdministrator.value && (
              <Button onClick={() => openDialog((close) => <ImportKey project={project.name} close={close} />)}>
                Import
              </Button>
            )}
            <Button icon="plus" onClick={create}>
              New key
            </Button>
          </>
        )
      }
    >
      <PagedTable
        caption={`Signing keys of ${project.name}`}
        pages={keys}
        id={(k) => k.id}
        columns={keyColumns.filter((c) => c.head !== 'Project')}
        empty={<Empty icon="key" title="This project has no key yet" />}
      />
    </Card>
  );
}

function Edit({ of, close }: { of: Project; close: () => void }) {
  const form = useForm({ description: of.description });
  const { seen, reload } = useSeen(of, path`/v1/projects/${of.id}`);
  return (
    <Dialog title={`Describe ${of.name}`} onClose={close}>
      <Form
        form={form}
        submit="Save"
        onCancel={close}
        onReload={reload}
        onSubmit={async (v) => {
          await api.patch(path`/v1/projects/${of.id}`, v, { revision: seen.revision });
          close();
          toast(`${of.name} is described anew`);
        }}
      >
        <TextField form={form} name="description" label="Description" maxLength={255} rows={3} autofocus />
        {seen.revision !== of.revision && (
          <Note title="Somebody else wrote meanwhile:">{seen.description || 'nothing'}</Note>
        )}
      </Form>
    </Dialog>
  );
}

function setFreeze(project: Project, frozen: boolean) {
  confirmAction({
    title: frozen ? `Freeze signing in ${project.name}?` : `Let ${project.name} sign again?`,
    consequences: frozen
      ? [
          `The very next signature with any key of ${project.name} is refused, whoever asks.`,
          'Keys, roles and policies stay as they are.',
        ]
      : ['Signatures are made again, as roles and policies allow.'],
    action: frozen ? 'Freeze signing' : 'Unfreeze signing',
    danger: frozen,
    reason: { label: 'Reason', required: true, help: 'Signers are told, and it goes into the audit log.' },
    run: (reason) => api.post(path`/v1/projects/${project.id}/${frozen ? 'freeze' : 'unfreeze'}`, { reason }),
    done: frozen ? `Signing in ${project.name} is frozen` : `${project.name} signs again`,
  });
}

function Policy({ of: project }: { of: Project }) {
  const policy = useQuery<PolicyVersion>(path`/v1/projects/${project.id}/policy`);
  return (
    <Card
      title={`Policy of ${project.name}`}
      actions={
        <>
          <LinkButton icon="settings" to={href('/projects', project.name, 'policy')}>
            {mayManage() ? 'Change the policy' : 'Versions'}
          </LinkButton>
          <LinkButton icon="explain" to={href('/explain', { key: `${project.name}:` })}>
            Explain access
          </LinkButton>
        </>
      }
    >
      {policy.data ? (
        <PolicyView of={policy.data} scope="this project" />
      ) : policy.error ? (
        <Problem error={policy.error} retry={policy.reload} />
      ) : (
        <Loading />
      )}
    </Card>
  );
}

function About({ of: project }: { of: Project }) {
  return (
    <Grid>
      <UsageCard
        title="Signatures in the last 30 days"
        of={{ project: project.id }}
        report={{ project: project.name }}
        wide
      />
      <Card title="Project">
        <Facts
          rows={[
            ['Name', project.name],
            ['Description', project.description],
            ['Created', <Time at={project.created} />],
            ['Id', project.id],
          ]}
        />
      </Card>
    </Grid>
  );
}

export function ProjectPage({ params }: PageProps) {
  const found = useQuery<Project>(path`/v1/projects/${params.project!}`);
  const freeze = useQuery<Freeze>(path`/v1/projects/${params.project!}/freeze`);
  const crumbs: [string, string][] = [['Projects', href('/projects')]];
  if (!found.data)
    return (
      <>
        <PageHead title={params.project} crumbs={crumbs} />
        {found.error ? <Problem error={found.error} retry={found.reload} /> : <Loading lines={8} />}
      </>
    );
  const project = found.data;
  const isFrozen = freeze.data?.frozen;
  return (
    <>
      <PageHead
        title={project.name}
        crumbs={crumbs}
        lead={project.description || undefined}
        badge={isFrozen ? <Badge tone="bad">Frozen</Badge> : undefined}
      >
        {mayManage() && (
          <>
            <Button onClick={() => openDialog((close) => <Edit of={project} close={close} />)}>Describe</Button>
            {freeze.data && (
              <Button icon="snow" kind={isFrozen ? 'plain' : 'danger'} onClick={() => setFreeze(project, !isFrozen)}>
                {isFrozen ? 'Unfreeze' : 'Freeze'}
              </Button>
            )}
          </>
        )}
      </PageHead>
      {isFrozen && (
        <Note tone="bad" title={`Signing in ${project.name} is frozen.`}>
          {freeze.data?.reason} ({freeze.data?.author}, <Time at={freeze.data?.since} />)
        </Note>
      )}
      <Tabs
        label={`Parts of ${project.name}`}
        tabs={[
          { id: 'keys', label: 'Keys', view: () => <Keys of={project} /> },
          { id: 'members', label: 'Members', view: () => <Members of={project} /> },
          { id: 'policy', label: 'Policy', view: () => <Policy of={project} /> },
          { id: 'about', label: 'Usage', view: () => <About of={project} /> },
        ]}
      />
    </>
  );
}
