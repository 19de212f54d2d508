// SPDX-License-Identifier: Apache-2.0
// The object that a form changes, as the person last saw it. After a 412 it can be read anew, and what is typed stays.
import { useState } from 'preact/hooks';
import { api } from '../api/client';

/** `reload` is the form's `onReload`; a change is bound to the revision of `seen`. */
export function useSeen<T>(of: T, path: string) {
  const [seen, setSeen] = useState(of);
  const reload = async () => setSeen(await api.get<T>(path));
  return { seen, reload };
}
