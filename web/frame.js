// What is around each page: what is said at its foot, keys, and commands to copy.

import { $, el, put } from './dom.js'

let silence
export function say(text) {
  put($('said'), text)
  clearTimeout(silence)
  silence = setTimeout(() => put($('said')), 8000)
}

export function decoded(s) {
  try { return decodeURIComponent(s) } catch { return '' }
}

export function copier(text) {
  return el('button', { type: 'button', class: 'copy', 'aria-label': `Copy: ${text}`, on: { click: async () => {
    try { await navigator.clipboard.writeText(text); say('Copied') } catch { say('Your browser does not let this page copy; mark it instead') }
  } } }, 'Copy')
}

// A command to type, and what it does.
export const command = (text, what) => el('li', null, el('code', null, text), copier(text), el('span', { class: 'quiet' }, what))

// To the next of the rows, or the one before.
export function step(main, by) {
  const all = [...main.querySelectorAll('a.row')]
  if (!all.length) return
  const i = all.indexOf(document.activeElement)
  const e = all[Math.max(0, Math.min(all.length - 1, i < 0 ? 0 : i + by))]
  e.focus()
  e.scrollIntoView({ block: 'nearest' })
}

// Have these keys do something, wherever one does not write; and show which there are.
export function listen(keys) {
  keys = { ...keys, '?': () => $('help').showModal() }
  addEventListener('keydown', e => {
    const inField = /^(INPUT|SELECT|TEXTAREA)$/.test(document.activeElement?.tagName)
    if (inField || e.ctrlKey || e.metaKey || e.altKey || document.querySelector('dialog[open]') || !Object.hasOwn(keys, e.key)) return
    e.preventDefault()
    keys[e.key]()
  })
  $('keys').addEventListener('click', () => $('help').showModal())
}
