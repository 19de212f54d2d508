// SPDX-License-Identifier: Apache-2.0
// Where keys of a project can be made and their certificates come from: asked once a dialog, for who makes its keys.
import { path } from '../api/client';
import type { KeySources } from '../api/types';
import { useQuery } from './query';

export const useKeySources = (project: string) => useQuery<KeySources>(path`/v1/projects/${project}/key-sources`).data;
