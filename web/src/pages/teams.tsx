// SPDX-License-Identifier: Apache-2.0
// Teams: a list, and the form that makes one.
import { api } from '../api/client';
import type { Team } from '../api/types';
import { href, navigate } from '../app/router';
import { Empty, Time } from '../ui/basic';
import { Dialog } from '../ui/dialog';
import { Form, TextField, useForm } from '../ui/form';
import { ListPage } from '../ui/list_page';
import { toast } from '../ui/toast';

function NewTeam({ close }: { close: () => void }) {
  const form = useForm({ name: '', description: '' });
  return (
    <Dialog title="New team" onClose={close}>
      <Form
        form={form}
        submit="Create team"
        onCancel={close}
        onSubmit={async (v) => {
          const made = await api.create<Team>('/v1/teams', { ...v, name: v.name.trim() }, form.once);
          close();
          toast(`Team ${made.name} is there`);
          navigate(href('/teams', made.name));
        }}
      >
        <TextField
          form={form}
          name="name"
          label="Name"
          required
          machine
          maxLength={63}
          autofocus
          help="Lower-case letters, digits, dot, hyphen and underscore. No user or service account may have the same."
        />
        <TextField form={form} name="description" label="Description" maxLength={255} />
      </Form>
    </Dialog>
  );
}

export function Teams() {
  return (
    <ListPage<Team>
      title="Teams"
      lead="A team holds roles in projects for all its members, and owns service accounts: their keys are managed by its members."
      noun="team"
      path="/v1/teams"
      create={{ label: 'New team', dialog: (close) => <NewTeam close={close} /> }}
      empty={
        <Empty icon="team" title="There is no team yet">
          Make one where several people share a role.
        </Empty>
      }
      id={(t) => t.id}
      columns={[
        { head: 'Name', kind: 'main', cell: (t) => <a href={href('/teams', t.name)}>{t.name}</a> },
        { head: 'Description', cell: (t) => t.description },
        { head: 'Created', cell: (t) => <Time at={t.created} style="date" /> },
      ]}
    />
  );
}
