// SPDX-License-Identifier: Apache-2.0
// Users: a list, and the form that makes one.
import { api } from '../api/client';
import type { PlatformRole, User } from '../api/types';
import { href, navigate } from '../app/router';
import { capital } from '../lib/text';
import { Badge, Empty, Time } from '../ui/basic';
import { Dialog } from '../ui/dialog';
import { Form, SelectField, useForm } from '../ui/form';
import { NameField } from '../ui/name_field';
import { ListPage } from '../ui/list_page';
import { toast } from '../ui/toast';

export const platformRoles: PlatformRole[] = ['user', 'auditor', 'administrator'];
export const platformRoleHelp: Record<PlatformRole, string> = {
  user: 'May do what a project gives: own it, sign with its keys, approve.',
  auditor: 'Reads everything and changes nothing.',
  administrator: 'Administers the platform. Signs and approves nothing by that alone.',
};

function NewUser({ close }: { close: () => void }) {
  const form = useForm({ name: '', role: 'user' });
  return (
    <Dialog title="New user" onClose={close}>
      <Form
        form={form}
        submit="Create user"
        onCancel={close}
        onSubmit={async (v) => {
          const made = await api.create<User>('/v1/users', { name: v.name.trim(), role: v.role }, form.once);
          close();
          toast(`User ${made.name} is there; give a one-time password or an API key to sign in with`);
          navigate(href('/users', made.name));
        }}
      >
        <NameField form={form} help="It is never given to anybody else." />
        <SelectField
          form={form}
          name="role"
          label="Role on the platform"
          required
          choices={platformRoles.map((r) => [r, capital(r)])}
          help={platformRoleHelp[form.values.role as PlatformRole]}
        />
      </Form>
    </Dialog>
  );
}

export function Users() {
  return (
    <ListPage<User>
      title="Users"
      lead="People. What they may sign and approve is given in projects, to them or to their teams."
      noun="user"
      path="/v1/users"
      filters={[
        { name: 'name', label: 'Name begins with' },
        { name: 'state', label: 'State', choices: ['active', 'disabled'].map((s) => [s, capital(s)]) },
        { name: 'role', label: 'Role', choices: platformRoles.map((r) => [r, capital(r)]) },
      ]}
      create={{ label: 'New user', dialog: (close) => <NewUser close={close} /> }}
      empty={<Empty icon="user" title="There is no user yet" />}
      id={(u) => u.id}
      name={(u) => u.name}
      columns={[
        { head: 'Name', kind: 'main', cell: (u) => <a href={href('/users', u.name)}>{u.name}</a> },
        { head: 'Role', cell: (u) => capital(u.role) },
        { head: 'State', cell: (u) => <Badge state={u.state} /> },
        { head: 'Created', cell: (u) => <Time at={u.created} style="date" /> },
      ]}
    />
  );
}
