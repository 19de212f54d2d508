// SPDX-License-Identifier: Apache-2.0
// One team: who is in it, and what its members may do by it.
import { api, path } from '../api/client';
import { isAdministrator, readsAll } from '../api/session';
import type { Team, TeamMember } from '../api/types';
import type { PageProps } from '../app/page';
import { href, navigate } from '../app/router';
import { capital, nameOf } from '../lib/text';
import { Badge, Button, Card, Empty, Loading, PageHead, Problem, Time } from '../ui/basic';
import { confirmAction, Dialog, openDialog } from '../ui/dialog';
import { Form, TextField, useForm } from '../ui/form';
import { PrincipalField, PrincipalLink } from '../ui/principal';
import { usePages, useQuery } from '../ui/query';
import { useSeen } from '../ui/seen';
import { RolesCard } from '../ui/roles';
import { PagedTable } from '../ui/table';
import { Tabs } from '../ui/tabs';
import { toast } from '../ui/toast';

/** Its members see this page, but not the list. */
const crumbs = (): [string, string][] => (readsAll.value ? [['Teams', href('/teams')]] : []);

function AddMember({ of, close }: { of: Team; close: () => void }) {
  const form = useForm({ principal: '' });
  return (
    <Dialog title={`Put somebody into ${of.name}`} onClose={close}>
      <Form
        form={form}
        submit="Put into the team"
        onCancel={close}
        onSubmit={async (v) => {
          const body = { principal: v.principal.trim() };
          const made = await api.create<TeamMember>(path`/v1/teams/${of.name}/members`, body, form.once);
          close();
          toast(`${made.name} is in ${of.name}`);
        }}
      >
        <PrincipalField
          form={form}
          types={['user', 'service_account']}
          label="User or service account"
          help="It has all roles of the team from its next request on."
          autofocus
        />
      </Form>
    </Dialog>
  );
}

function takeOut(of: Team, m: TeamMember) {
  confirmAction({
    title: `Take ${m.name} out of ${of.name}?`,
    consequences: [
      `${m.name} loses the roles that come by ${of.name}: the very next signature is judged without them.`,
      'Roles given directly or by another team stay.',
    ],
    action: 'Take out',
    danger: true,
    run: () => api.delete(path`/v1/teams/${of.name}/members/${m.principal}`),
    done: `${m.name} is no longer in ${of.name}`,
  });
}

function EditTeam({ of, close }: { of: Team; close: () => void }) {
  const form = useForm({ description: of.description });
  const { seen, reload } = useSeen(of, path`/v1/teams/${of.name}`);
  return (
    <Dialog title={`Change ${of.name}`} onClose={close}>
      <Form
        form={form}
        submit="Save"
        onCancel={close}
        onReload={reload}
        onSubmit={async (v) => {
          await api.patch(path`/v1/teams/${of.name}`, v, { revision: seen.revision });
          close();
          toast(`${of.name} is changed`);
        }}
      >
        <TextField form={form} name="description" label="Description" maxLength={255} autofocus />
      </Form>
    </Dialog>
  );
}

function remove(of: Team) {
  confirmAction({
    title: `Remove team ${of.name}?`,
    consequences: [
      'Its members lose every role they have by it: the very next signature is judged without them.',
      'Users and service accounts in it stay.',
    ],
    action: 'Remove the team',
    danger: true,
    typeName: of.name,
    run: async () => {
      await api.delete(path`/v1/teams/${of.name}`, { revision: of.revision });
      navigate(href('/teams'));
    },
    done: `Team ${of.name} is removed`,
  });
}

function Members({ of: team }: { of: Team }) {
  const members = usePages<TeamMember>(path`/v1/teams/${team.name}/members`);
  const actions = {
    head: 'Actions',
    kind: 'actions' as const,
    cell: (m: TeamMember) => (
      <Button kind="quiet" title={`Take ${m.name} out of ${team.name}`} onClick={() => takeOut(team, m)}>
        Take out
      </Button>
    ),
  };
  return (
    <Card
      title="Members"
      flush
      actions={
        isAdministrator.value && (
          <Button icon="plus" onClick={() => openDialog((close) => <AddMember of={team} close={close} />)}>
            Add a member
          </Button>
        )
      }
    >
      <PagedTable
        caption={`Members of ${team.name}`}
        pages={members}
        id={(m) => m.principal}
        empty={<Empty icon="user" title={`Nobody is in ${team.name} yet`} />}
        columns={[
          { head: 'Name', kind: 'main', cell: (m) => <PrincipalLink type={m.type} name={m.name} /> },
          { head: 'Kind', cell: (m) => capital(nameOf(m.type)) },
          { head: 'State', cell: (m) => <Badge state={m.state} /> },
          { head: 'Since', cell: (m) => <Time at={m.since} style="date" /> },
          ...(isAdministrator.value ? [actions] : []),
        ]}
      />
    </Card>
  );
}

export function TeamPage({ params }: PageProps) {
  const { data: team, error, reload } = useQuery<Team>(path`/v1/teams/${params.team!}`);
  if (!team)
    return (
      <>
        <PageHead title={params.team} crumbs={crumbs()} />
        {error ? <Problem error={error} retry={reload} /> : <Loading label="Team" />}
      </>
    );
  return (
    <>
      <PageHead title={team.name} crumbs={crumbs()} lead={team.description}>
        {isAdministrator.value && (
          <>
            <Button onClick={() => openDialog((close) => <EditTeam of={team} close={close} />)}>Change</Button>
            <Button kind="danger" onClick={() => remove(team)}>
              Remove
            </Button>
          </>
        )}
      </PageHead>
      {!!error && <Problem error={error} retry={reload} />}
      <Tabs
        label={`Parts of ${team.name}`}
        tabs={[
          { id: 'members', label: 'Members', view: () => <Members of={team} /> },
          {
            id: 'roles',
            label: 'Roles',
            view: () => <RolesCard of={team.name} path={path`/v1/teams/${team.name}/roles`} />,
          },
        ]}
      />
    </>
  );
}
