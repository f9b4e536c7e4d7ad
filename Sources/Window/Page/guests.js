// Links for people who are no members.

import { control, order } from './api.js';
import { button, el } from './dom.js';
import { bytes, moment, some, textOf } from './format.js';
import { state } from './live.js';
import { linkCard } from './members.js';
import { ask, choice, facts, heading, openDialog, saying } from './talk.js';

/** A link is told once; until the page is left it can be shown again. */
const made = new Map();

export function content() {
  const { guests = [] } = state.guests ?? {};
  return [
    heading('Guests'),
    el('p.quiet', 'A guest needs a browser and a link: make it in the menu of a file or folder.'),
    guests.length ? el('ul.cards', guests.map(row)) : el('p.empty', 'No guest has a link.'),
  ];
}

function row({ id, path, isDrop, until, ...one }) {
  return el('li.card', { key: id, test: 'guest' },
    el('p', isDrop ? 'may leave files in ' : 'may read ', el('strong', `/${textOf(path)}`)),
    el('p.quiet', until ? `until ${moment(until)}` : 'without an end',
      `, opened ${some(one.opened, 'time', 'times')}, ${bytes(one.bytes)} `,
      isDrop ? 'left' : 'sent'),
    el('div.actions',
      made.has(id) && button('Show link', saying(() => showLink(made.get(id)))),
      button('End', () => order('guest-end', [id]))));
}

export function makeLink(path, text, mayDrop) {
  ask('Guest link', `Whoever has the link sees ${text}, without being a member.`, 'Make a link',
    async ({ time, kind = 'read' }) => {
      const link = await control('guest', [time, kind], path);
      made.set(link.id, link);
      await showLink(link);
    }, {
      test: 'guest-make', fields: [
        choice('For how long', 'time', [[86400, 'a day'], [3600, 'an hour'], [604800, 'a week'],
          ['', 'without an end']]),
        mayDrop && choice('The guest may', 'kind',
          [['read', 'read what is in it'], ['drop', 'leave files in it, and read nothing']]),
      ],
    });
}

async function showLink({ link, until, fingerprint }) {
  openDialog('Guest link', 'guest-shown', await linkCard(link, 'guest-link'),
    facts({ Ends: until ? moment(until) : 'when you end it', Fingerprint: fingerprint }),
    fingerprint && el('p.quiet', 'The guest’s browser warns. The certificate that it shows must '
      + 'have this fingerprint (SHA-256).'));
}
