// What moves, what is kept here, and how fast it may go.

import { control, order } from './api.js';
import { button, el, hook } from './dom.js';
import { bytes, duration, pathOfReport, some } from './format.js';
import { state } from './live.js';
import { ask, field, heading } from './talk.js';

/** For all, or for a `path` as it is in a report. */
const command = (label, name, path) => button(label,
  () => order(name, [], path && pathOfReport(path)));

export function content() {
  const { paused = [], uploadsPaused, uploadLimit, downloadLimit } = state.status ?? {};
  const { transfers = [] } = state.transfers ?? {};
  const { keeps = [] } = state.keeps ?? {};
  const uploads = uploadsPaused ? 'Resume uploads' : 'Pause uploads';
  return [
    heading('Transfers', !paused.includes('/') && command('Pause all', 'pause'),
      paused.length > 0 && command('Resume all', 'resume'), command(uploads, hook(uploads))),
    transfers.length ? el('ul.cards', transfers.map((one) => row(one, paused)))
      : el('p.empty', 'Nothing moves. Files are fetched when somebody opens them.'),
    el('h2', 'Kept here'),
    keeps.length ? el('ul.rows', keeps.map(kept))
      : el('p.quiet', 'Nothing. “Keep here” in Files keeps a copy that can be read while its '
        + 'owner is away.'),
    heading('Limits', button('Change', changeLimits)),
    el('p', `To others: ${rate(uploadLimit)}. From others: ${rate(downloadLimit)}.`),
  ];
}

const rate = (limit) => (limit === undefined ? 'no limit' : `${bytes(limit)}/s`);

function row({ path, size, secondsLeft, ...one }, paused) {
  const isReading = one.direction === 'reading';
  const left = secondsLeft === undefined ? '' : `, ${duration(secondsLeft)} left`;
  const says = { moving: rate(one.rate) + left, ownerAway: 'owner away' };
  return el('li.card', { key: one.direction + path, test: 'transfer' },
    el('div.heading', el('p.grow', el('strong', path),
      el('span.quiet', isReading ? ` from ${one.owner}` : ` to ${one.reader}`)),
    // Uploads pause together; what has left the list has no path any more.
    isReading && path[0] !== '(' && (paused.includes(path) ? command('Resume', 'resume', path)
      : command('Pause', 'pause', path))),
    el('progress', { max: Math.max(1, size), value: one.bytes, 'aria-label': path }),
    el('p', `${bytes(one.bytes)} of ${bytes(size)}, ${says[one.state] ?? one.state}`,
      el('span.quiet', `, ${one.route}`)));
}

const kept = ({ path, reason, ...one }) => el('li', { key: path }, el('bdi.grow', path),
  el('span.quiet', `${some(one.files, 'file', 'files')}, ${bytes(one.bytesHere)} of `,
    `${bytes(one.bytes)}, ${one.state}`, reason && `: ${reason}`, one.isOnce && ', once'),
  command('Stop keeping', 'unkeep', path));

function changeLimits() {
  const hint = { placeholder: '500K, 2M, or off', required: false };
  ask('Limits', 'Bytes per second, until fsharefs ends. What is empty stays as it is.',
    'Change', async (limits) => {
      for (const limit of Object.entries(limits)) if (limit[1]) await control('limit', limit);
    }, { fields: [field('To others', 'up', hint), field('From others', 'down', hint)] });
}
