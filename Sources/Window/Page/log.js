// What happened in the group, the newest first.

import { el } from './dom.js';
import { moment } from './format.js';
import { state } from './live.js';
import { heading } from './talk.js';

export const content = () => [heading('Log'),
  el('ul.rows', { role: 'log', test: 'log', 'aria-label': 'Log' },
    state.events.map(({ at, text }, key) => el('li', { key },
      el('time.quiet', moment(at)), el('span.grow', text))).reverse()),
  !state.events.length && el('p.empty', 'Nothing has happened yet.')];
