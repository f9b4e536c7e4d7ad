// Who is in the group, who waits to be let in, and how others join.

import { control, order, request } from './api.js';
import { button, el } from './dom.js';
import { some } from './format.js';
import { state } from './live.js';
import { ask, facts, heading, openDialog, saying, sixWords, toast } from './talk.js';

/** Whom one decides about later: shown in Members only. */
const postponed = new Set();

const membersIn = (standing) => (
  state.members?.members.filter((one) => one.state === standing) ?? []);
const mayApprove = () => ['host', 'master'].includes(state.status?.role);
export const whoWaits = () => (mayApprove() ? membersIn('waiting') : []);

export const waiting = (isAll) => el('ul.waiting',
  { test: 'waiting', 'aria-label': 'Who waits', 'aria-live': 'polite' },
  whoWaits().filter(({ publicID }) => isAll || !postponed.has(publicID))
    .map((one) => waitingRow(one, isAll)));

function waitingRow({ publicID, name, system, address, words }, isAll) {
  const id = String(publicID);
  return el('li.card', { key: id },
    el('p', el('strong', name), ' waits to be let in. ',
      el('span.quiet', [system, address].filter(Boolean).join(', '))),
    words && el('p', 'Does its own screen show these words?'), sixWords(words),
    el('div.actions',
      button('Approve', () => order('approve', words ? [id, words] : [id]), { class: 'primary' }),
      button('Refuse', () => order('disapprove', [id]), { class: 'danger' }),
      !isAll && button('Later', ({ target }) => {
        postponed.add(publicID);
        target.closest('li').remove();
        toast('It waits in Members.');
      })));
}

export function content() {
  const shown = membersIn('approved');
  return [
    heading('Members', button('Invite', invite, { class: 'primary' })),
    el('ul.cards', shown.map(row)),
    shown.length === 1 && el('p.empty', 'Nobody else is here yet: invite somebody.'),
  ];
}

function row(one) {
  const { name, entries, presence } = one;
  const id = String(one.publicID);
  return el('li.card', { key: id, test: 'member' },
    el('div.heading',
      el('p', el('strong', name), one.isSelf && ' (you)', one.isMaster && ', the master'),
      el('span.mark', { class: presence },
        { online: 'here', away: 'away', gone: 'not here' }[presence])),
    el('p.quiet', `shares ${some(entries, 'entry', 'entries')}`),
    el('p.trouble', one.doubt),
    el('details', el('summary', 'Words and machine'), sixWords(one.words),
      facts({ System: one.system, Address: one.address, 'Direct line': one.line }),
      mayApprove() && !one.isSelf && button('Put out', () => ask(`Put ${name} out?`,
        'Its files leave every list at once, and it reads nothing any more.', 'Put out',
        () => control('disapprove', [id]), { class: 'danger' }))));
}

const invite = saying(async () => {
  const { link } = await control('invite');
  openDialog('Invite', 'invitation',
    el('p', 'On the other machine: ', el('code', 'fsharefs \'LINK\' ~/share'),
      '. It shows six words and waits for your approval. The link is no secret.'),
    await linkCard(link, 'invite-link'));
});

export async function linkCard(link, test) {
  const { rows } = await request('GET', `/api/qr?text=${encodeURIComponent(link)}`);
  const input = el('input', { readonly: true, value: link, test, 'aria-label': 'Link' });
  const copy = button('Copy', saying(async () => {
    input.select();
    await navigator.clipboard.writeText(link);
    toast('Copied.');
  }));
  return [el('div.actions', input, copy), drawn(rows)];
}

/** Four modules of white around are part of a QR code. */
function drawn(rows) {
  const side = rows.length + 8;
  const canvas = el('canvas', {
    width: side, height: side, role: 'img', 'aria-label': 'The link as a QR code',
  });
  const pen = canvas.getContext('2d');
  rows.forEach((row, y) => [...row].forEach((module, x) => (
    module === '1' && pen.fillRect(x + 4, y + 4, 1, 1))));
  return canvas;
}
