// SPDX-License-Identifier: Apache-2.0
// What a user, service account or team may do in projects, and by what.
import type { HeldRole } from '../api/types';
import { href } from '../app/router';
import { capital } from '../lib/text';
import { Badge, Card, Empty, Time } from './basic';
import { usePages } from './query';
import { PagedTable } from './table';

function RoleTime({ of }: { of: HeldRole }) {
  const now = Date.now();
  if (of.not_after && Date.parse(of.not_after) <= now) return <Badge tone="warn">Ended</Badge>;
  if (of.not_before && Date.parse(of.not_before) > now)
    return (
      <Badge tone="info">
        From <Time at={of.not_before} style="date" />
      </Badge>
    );
  if (!of.not_after) return <span class="muted">always</span>;
  return (
    <>
      until <Time at={of.not_after} />
    </>
  );
}

/** `path` is of the list, such as /v1/users/sam/roles. */
export function RolesCard({ of, path, byTeam }: { of: string; path: string; byTeam?: boolean }) {
  const roles = usePages<HeldRole>(path);
  return (
    <Card title="Roles in projects" flush>
      <PagedTable
        caption={`Roles of ${of}`}
        pages={roles}
        id={(r) => `${r.project} ${r.role} ${r.team ?? ''}`}
        empty={
          <Empty icon="project" title={`${of} has no role in any project`}>
            Roles are given in a <a href={href('/projects')}>project</a>.
          </Empty>
        }
        columns={[
          { head: 'Project', kind: 'main', cell: (r) => <a href={href('/projects', r.project)}>{r.project}</a> },
          { head: 'Role', cell: (r) => capital(r.role) },
          ...(byTeam
            ? [
                {
                  head: 'By',
                  cell: (r: HeldRole) =>
                    r.team ? (
                      <>
                        team <a href={href('/teams', r.team)}>{r.team}</a>
                      </>
                    ) : (
                      <span class="muted">directly</span>
                    ),
                },
              ]
            : []),
          { head: 'When', cell: (r) => <RoleTime of={r} /> },
          { head: 'Since', cell: (r) => <Time at={r.since} style="date" /> },
        ]}
      />
    </Card>
  );
}
