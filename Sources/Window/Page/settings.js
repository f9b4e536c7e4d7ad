// This machine: its name and folders, the browsers that are let in, and every setting.

import { control, order, request } from './api.js';
import { button, el } from './dom.js';
import { moment } from './format.js';
import { state, take } from './live.js';
import { facts, heading, saying, sixWords } from './talk.js';

/** These two are not told by themselves, so they are asked for. */
export const enter = saying(async () => {
  take({ ...await request('GET', '/api/browsers'), ...await control('shares') });
});

const andAgain = (perform) => saying(async () => {
  await perform();
  await enter();
});

export function content() {
  const { status, browsers = [], shares = [] } = state;
  return status && [
    heading('This machine'),
    facts({
      Name: status.name, Role: status.role, Hub: status.hub, 'Mounted at': status.mountpoint,
      'Own files': status.ownFolder, Version: status.version, Words: sixWords(status.words),
    }),
    heading('Shared in place'),
    shares.length === 0 && el('p.quiet', 'Nothing: what you share lies in the own folder.'),
    el('ul.rows', shares.map(sharedRow)),
    heading('Browsers that are let in'),
    el('ul.rows', browsers.map(browserRow)),
    heading('Settings in force'),
    el('table', el('thead', line('th', 'Setting', 'Value', 'From')), el('tbody',
      status.settings.map(({ name, value, source }) => line('td', name, value, source)))),
  ];
}

const sharedRow = ({ name, path, state: standing }) => el('li', { key: name },
  el('bdi.grow', `${name} – ${path}`), el('span.quiet', standing),
  button('Take back', andAgain(() => order('unshare', [name]))));

const browserRow = ({ id, label, since, seen, isThis }) => el('li', { key: id, test: 'browser' },
  el('span.grow', label, isThis && ' (this one)'),
  el('span.quiet', `since ${moment(since)}, seen ${moment(seen)}`),
  button('End', andAgain(() => request('POST', '/api/browsers/end', { id }))));

const line = (tag, ...texts) => el('tr', texts.map((text) => el(tag, text)));
