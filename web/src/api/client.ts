// SPDX-License-Identifier: Apache-2.0
// The one place that talks to the server. Errors become typed; GETs are tried again, changes never by themselves; an ended
// session or a wanted confirmation makes the request wait for the person and then go on.
import { connectionFound, connectionLost } from './connection';
import { dataChanged } from './changes';
import { keepChanged } from './kept';
import { ApiError, Cancelled, LostConnection } from './problem';
import { interrupt, session, sessionClosed, sessionOpened } from './session';
import type { Ready, Session } from './types';

type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface Options {
  body?: unknown;
  /** The revision last seen: a stale change is refused with 412. */
  revision?: number | string | undefined;
  /** Of a create: see `Once`. */
  idempotencyKey?: string;
  signal?: AbortSignal;
  /** The answer is text, such as PEM or lines of JSON. */
  text?: boolean;
  /** A POST that changes nothing, so that nothing shown has to be read again. */
  isQuestion?: boolean;
  /** Asking for a session itself: a 401 is an answer, not an interruption. */
  quiet?: boolean;
}

export interface Answer<T> {
  data: T;
  headers: Headers;
  status: number;
}

export type Query = Record<string, string | number | boolean | null | undefined>;

const timeoutMs = 60_000;
const tries = 3;

/** "/v1/keys" with what of the query is set. */
export function withQuery(path: string, query: Query): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query))
    if (value !== undefined && value !== null && value !== '') parameters.set(name, String(value));
  const text = parameters.toString();
  return text ? `${path}${path.includes('?') ? '&' : '?'}${text}` : path;
}

/** path`/v1/keys/${id}` encodes what is filled in. */
export function path(strings: TemplateStringsArray, ...values: string[]): string {
  return strings.reduce((made, text, i) => made + encodeURIComponent(values[i - 1]!) + text);
}

/** A create that is sent again unchanged, after a lost answer, makes nothing twice. One of it belongs to one form. */
export class Once {
  private sent = '';
  private key = '';

  keyFor(path: string, body: unknown): string {
    const text = path + JSON.stringify(body);
    if (text !== this.sent) {
      this.sent = text;
      this.key = randomKey();
    }
    return this.key;
  }
}

function randomKey(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, '0')).join('');
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

function headersOf(method: Method, options: Options): Record<string, string> {
  const headers: Record<string, string> = {};
  if (options.body !== undefined) headers['Content-Type'] = 'application/json';
  if (method !== 'GET' && session.value) headers['X-CSRF-Token'] = session.value.csrf_token;
  if (options.revision !== undefined) headers['If-Match'] = `"${options.revision}"`;
  if (options.idempotencyKey) headers['Idempotency-Key'] = options.idempotencyKey;
  return headers;
}

async function send(method: Method, path: string, options: Options): Promise<Response> {
  const timeout = AbortSignal.timeout(timeoutMs);
  const cancel = new AbortController();
  timeout.addEventListener('abort', () => cancel.abort());
  options.signal?.addEventListener('abort', () => cancel.abort());
  try {
    const answer = await fetch(path, {
      method,
      headers: headersOf(method, options),
      body: options.body === undefined ? undefined : JSON.stringify(options.body),
      cache: 'no-store',
      credentials: 'same-origin',
      redirect: 'error',
      signal: cancel.signal,
    });
    connectionFound();
    return answer;
  } catch (e) {
    if (options.signal?.aborted) throw e;
    connectionLost();
    throw new LostConnection();
  }
}

async function problemOf(answer: Response): Promise<ApiError> {
  const retryAfter = Number(answer.headers.get('Retry-After')) || null;
  const requestId = answer.headers.get('X-Request-Id') ?? '';
  try {
    const p = (await answer.json()) as { code?: string; detail?: string };
    return new ApiError(answer.status, p.code ?? 'internal', p.detail ?? answer.statusText, requestId, retryAfter);
  } catch {
    return new ApiError(answer.status, 'internal', `The answer was ${answer.status}.`, requestId, retryAfter);
  }
}

async function sendAgain(method: Method, path: string, options: Options): Promise<Response> {
  for (let attempt = 1; ; attempt++) {
    const isLast = method !== 'GET' || attempt === tries;
    try {
      const answer = await send(method, path, options);
      if (answer.status !== 503 || isLast) return answer;
      await pause(Math.min(Number(answer.headers.get('Retry-After')) || 1, 3) * 1000);
    } catch (e) {
      if (!(e instanceof LostConnection) || isLast) throw e;
      await pause(400 * attempt);
    }
  }
}

/** True when the cause of the refusal is gone and the request is to be sent once more. */
async function recover(problem: ApiError, refreshed: boolean): Promise<boolean> {
  if (problem.status === 401) {
    const user = session.value?.user;
    if (!(await interrupt('ended'))) throw new Cancelled();
    if (user && session.value?.user !== user) throw new Cancelled(); // somebody else signed in
    return true;
  }
  // A refusal that names a field, such as a wrong code of the second factor, is for the form.
  const asked = problem.code === 'confirmation_required' && !problem.field ? 'confirm' : 'password';
  if (asked === 'confirm' || problem.code === 'password_change_required') {
    if (!(await interrupt(asked))) throw new Cancelled();
    return true;
  }
  // Signed in again in another tab: the token there is a new one.
  if (problem.status === 403 && problem.detail.startsWith('X-CSRF-Token') && !refreshed) {
    await loadSession();
    return true;
  }
  return false;
}

async function request<T>(method: Method, path: string, options: Options = {}): Promise<Answer<T>> {
  for (let refreshed = false; ; refreshed = true) {
    const answer = await sendAgain(method, path, options);
    if (answer.ok) {
      const data = options.text ? await answer.text() : answer.status === 204 ? undefined : await answer.json();
      if (method !== 'GET' && !options.quiet && !options.isQuestion) {
        keepChanged(path, data, answer.headers.get('ETag'), options.revision);
        dataChanged();
      }
      return { data: data as T, headers: answer.headers, status: answer.status };
    }
    const problem = await problemOf(answer);
    if (problem.status === 412) dataChanged(); // what is shown behind the form is old
    if (options.quiet || !(await recover(problem, refreshed))) throw problem;
  }
}

const dataOf = async <T>(answer: Promise<Answer<T>>) => (await answer).data;

export const api = {
  request,
  get: <T>(path: string, options?: Options) => dataOf(request<T>('GET', path, options)),
  /** Actions. `body` is {} where the action takes nothing. */
  post: <T>(path: string, body: unknown = {}, options?: Options) =>
    dataOf(request<T>('POST', path, { ...options, body })),
  /** A POST that only asks: nothing is changed by it. */
  ask: <T>(path: string, body: unknown, options?: Options) =>
    dataOf(request<T>('POST', path, { ...options, body, isQuestion: true })),
  put: <T>(path: string, body: unknown, options?: Options) => dataOf(request<T>('PUT', path, { ...options, body })),
  patch: <T>(path: string, body: unknown, options?: Options) => dataOf(request<T>('PATCH', path, { ...options, body })),
  delete: (path: string, options?: Options) => dataOf(request<void>('DELETE', path, options)),
  /** A POST that makes an object; sent again after a lost answer it makes no second one. */
  create: <T>(path: string, body: unknown, once: Once) =>
    dataOf(request<T>('POST', path, { body, idempotencyKey: once.keyFor(path, body) })),
};

/** Health of the server: the same body whether it is ready (200) or not (503). */
export async function readReady(_path: string, signal: AbortSignal): Promise<Ready> {
  return (await (await send('GET', '/readyz', { signal })).json()) as Ready;
}

/** Asks who is signed in; null when nobody is. */
export async function loadSession(): Promise<Session | null> {
  try {
    sessionOpened(await api.get<Session>('/v1/session', { quiet: true }));
  } catch (e) {
    if (!(e instanceof ApiError)) throw e;
    sessionClosed();
  }
  return session.value;
}
