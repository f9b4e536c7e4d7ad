// Calls to the process that serves the page, and the key that lets this browser make them.

import { saying, toast } from './talk.js';

const place = 'fsharefs-key';
export let key;

// Some browsers forbid the storage: then the key lasts as long as the page.
try {
  key = localStorage.getItem(place);
} catch { /* The next visit needs a new address. */ }

/** Trades the token of the address, which works once, for a key. */
export async function login(token) {
  ({ key } = await request('POST', '/api/login', { token, browser: browserName() }));
  try {
    localStorage.setItem(place, key);
  } catch { /* As above. */ }
}

function browserName() {
  const first = (pattern) => pattern.exec(navigator.userAgent);
  return `${first(/Firefox|Edg|OPR|Chrome|Safari/)} on `
    + first(/Android|iPhone|iPad|Windows|Mac|Linux(?!; Android)/);
}

export function refusal(status, text) {
  const said = text[0] === '{' ? JSON.parse(text).error : `That did not work (${status}).`;
  return Object.assign(new Error(said), { status });
}

export const headers = () => (key ? { 'X-Fsharefs-Key': key } : {});

export async function request(method, path, body) {
  const answer = await fetch(path, {
    method,
    headers: { ...headers(), 'Content-Type': 'application/json' },
    body: JSON.stringify(body),
  }).catch(() => {
    throw new Error('fsharefs does not answer. Does it still run?');
  });
  const text = await answer.text();
  if (!answer.ok) throw refusal(answer.status, text);
  return text ? JSON.parse(text) : {};
}

/** A command of `fsharectl`; `path` is encoded. */
export async function control(command, words = [], path) {
  return (await request('POST', '/api/control', { command, arguments: words, path })).result;
}

/** A command that only does something; what became of it is said. */
export const order = saying(async (...command) => {
  toast((await control(...command)).message);
});

export const listCall = (path, from, count, { by, order: direction }) => request('GET',
  `/api/list?path=${path}&from=${from}&count=${count}&sort=${by}&order=${direction}`);
