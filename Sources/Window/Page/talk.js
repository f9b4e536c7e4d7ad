// What the page says, and what it asks.

import { button, el, find, hook } from './dom.js';

/** A message that goes by itself; a trouble stays longer and is read out at once. */
export function toast(text, isTrouble) {
  const message = el('p', { role: isTrouble && 'alert' }, text);
  const shelf = find('#toast');
  shelf.append(message);
  // Shown anew, it lies above a dialog that was opened meanwhile.
  shelf.hidePopover?.();
  shelf.showPopover?.();
  setTimeout(() => message.remove(), isTrouble ? 12000 : 4000);
}

/** `perform`, which says what goes wrong in it. */
export const saying = (perform) => async (...details) => {
  try {
    await perform(...details);
  } catch (error) {
    toast(error.message, true);
  }
};

/** A dialog, gone once it is closed, also by a click beside it. */
export function openDialog(title, kind, ...content) {
  const dialog = el('dialog', {
    test: kind, class: kind, 'aria-label': title,
    onclose: () => dialog.remove(),
    onclick: ({ target }) => {
      if (target === dialog) dialog.close();
    },
  }, el('h2', title), content, button('Close', () => dialog.close(), { test: `${kind}-close` }));
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/** Each choice: label, what is done or the address to download, name for tests. */
export function openMenu(opener, title, choices) {
  const { right, bottom } = opener.getBoundingClientRect();
  const menu = openDialog(title, 'menu', choices.filter(Boolean).map(
    ([label, does, test = hook(label)]) => (typeof does === 'string'
      ? el('a.button', { href: does, download: true, test, onclick: () => menu.close() }, label)
      : button(label, () => {
        menu.close();
        does();
      }, { test }))));
  // At phone width the style sheet places it at the lower edge instead.
  const top = Math.max(8, Math.min(bottom, innerHeight - menu.offsetHeight - 8));
  menu.style.setProperty('--top', `${top}px`);
  menu.style.setProperty('--left', `${right - menu.offsetWidth}px`);
}

/** Calls `perform` with the fields once confirmed; what goes wrong is said in the dialog. */
export function ask(title, text, action, perform, { fields, ...rest } = {}) {
  const trouble = el('p.trouble', { role: 'alert' });
  const confirm = el('button', { class: 'primary', test: 'confirm', ...rest }, action);
  const dialog = openDialog(title, 'question', el('form', {
    onsubmit: async (event) => {
      event.preventDefault();
      confirm.disabled = true;
      try {
        await perform(Object.fromEntries(new FormData(event.target)));
        dialog.close();
      } catch (error) {
        trouble.textContent = error.message;
      }
      confirm.disabled = false;
    },
  }, text && el('p', text), fields, trouble, confirm));
}

export const field = (label, name, rest) => el('label', label,
  el('input', { name, required: true, ...rest }));

export const choice = (label, name, options) => el('label', label,
  el('select', { name }, options.map(([value, text]) => el('option', { value }, text))));

export const heading = (title, ...actions) => (
  el('div.heading', el('h2', title), el('div.actions', actions)));

/** The six words of a key, easy to read aloud. */
export const sixWords = (words) => words && el('ol.words', { test: 'words' },
  words.split(' ').map((word) => el('li', word)));

/** Names and what they are; what is not known is left out. */
export const facts = (pairs) => el('dl', Object.entries(pairs).filter(([, value]) => value)
  .map(([name, value]) => el('div', el('dt', name), el('dd', value))));
