// The trash, devices and tokens.

import { ago, bytes, count, el, fill, put, when } from '../dom.js'
import { copier, say } from '../frame.js'
import { bare, line, visible } from '../prose.js'
import { ask, pages } from './ask.js'
import { confirm, field } from './holder.js'

// A page with a heading, words about it, and a list that look() fills.
function place(main, heading, about, look, fail) {
  const abort = new AbortController(), body = el('div')
  const again = () => look(body, abort.signal, again).catch(fail)
  put(main, el('div', { class: 'head' }, el('h1', null, heading), about ? el('p', { class: 'quiet' }, about) : null), body)
  put(body, el('p', { class: 'quiet', role: 'status' }, 'Looking …'))
  again()
  return { close: () => abort.abort(), again }
}

const thing = (name, meta, ...buttons) => el('li', null, el('div', null, el('b', { dir: 'auto' }, name),
  el('div', { class: 'quiet' }, meta.filter(Boolean).map((m, i) => [i ? ', ' : null, m]))), buttons)

const button = (label, aria, click, kind) => el('button', { type: 'button', class: kind, 'aria-label': aria, on: { click } }, label)

// ---- trash -------------------------------------------------------------------------------------

const whys = { deleted: 'deleted', rotated: 'pushed out by newer ones', amended: 'replaced by a fuller one', passing: 'pushed out within the hour' }

// A title that may be shown for what lies there.
const nameOf = v => v.metadata?.sealed === undefined ? v.metadata?.names?.title?.text ?? v.metadata?.summary ?? v.metadata?.projectName ?? v.sourceCwd : null

async function back(id, version, again) {
  try {
    const o = await ask('POST', `sessions/${encodeURIComponent(id)}/undelete`, version ? { version } : {})
    say(`Brought back: ${count(o.restored, 'version')}`)
  } catch (e) {
    say(e.message)
  }
  again()
}

function trashed(list, again) {
  const of = Map.groupBy ? Map.groupBy(list, v => v.sessionId) : list.reduce((m, v) => m.set(v.sessionId, [...m.get(v.sessionId) ?? [], v]), new Map())
  return [...of].map(([id, versions]) => {
    const name = nameOf(versions[0]), short = String(id).slice(0, 8), isWhole = versions.some(v => v.why === 'deleted')
    return el('section', { class: 'panel' }, el('div', { class: 'panel-head' },
      el('h2', { dir: 'auto' }, name ? line(name, 120) : `Session ${short}`),
      isWhole ? button('Bring back', `Bring back session ${short}`, () => back(id, 0, again), 'main') : null),
    el('p', { class: 'quiet' }, el('code', null, visible(id)), versions[0].metadata?.sealed === undefined ? null : ', sealed'),
    el('ul', { class: 'things' }, versions.slice(0, 200).map(v => thing(`Version ${v.version}`,
      [whys[v.why] ?? 'left', ago(v.deletedAt), bytes(v.sizeBytes), v.sourceMachine && line(v.sourceMachine, 40), v.goneAt && ['gone for good ', when(v.goneAt, { dateStyle: 'medium' })]],
      button('Bring this back', `Bring back version ${v.version} of session ${short}`, () => back(id, v.version, again))))))
  })
}

export const trash = (main, fail) => place(main, 'Trash', 'What was deleted, and what newer versions pushed out, until it is gone for good.',
  async (body, signal, again) => {
    const list = await pages('trash', 'versions', () => {}, signal)
    put(body, list.length ? trashed(list, again) : el('p', { class: 'empty' }, 'Nothing lies here.'))
  }, fail)

// ---- devices -----------------------------------------------------------------------------------

export const devices = (main, fail) => place(main, 'Devices', 'Machines that have saved here.', async (body, signal, again) => {
  const { devices: list } = await ask('GET', 'devices', null, { signal })
  put(body, list.length ? el('ul', { class: 'things panel' }, list.map(d => thing(line(d.name, 80),
    [count(d.sessionCount, 'session'), d.lastSeenAt && ['last seen ', ago(d.lastSeenAt)], d.firstSeenAt && ['first ', ago(d.firstSeenAt)]],
    button('Remove', `Remove ${bare(d.name)}`, () => confirm({ title: `Remove ${bare(d.name)}?`, label: 'Remove it',
      text: ['Its tokens end at once: it saves nothing more here until somebody logs in on it again. What it has saved stays.'],
      method: 'DELETE', path: `devices/${encodeURIComponent(d.id)}`, done: () => { say('It is removed'); again() } })))))
    : el('p', { class: 'empty' }, 'None yet. On a machine where an agent works: ', el('code', null, `ctctl login --api-url ${location.origin}`)))
}, fail)

// ---- tokens ------------------------------------------------------------------------------------

// Shown this once: the server has a digest only.
function shown(o) {
  const box = el('dialog', { class: 'confirm', 'aria-labelledby': 'token-title' })
  fill(box, [el('h2', { id: 'token-title' }, 'The new token'), el('p', null, 'It is shown this once. Whoever has it can do what you can, but for what asks your password.'),
    el('p', { class: 'token' }, el('code', { tabindex: '0' }, o.token), copier(o.token)), el('p', { class: 'quiet' }, 'On the machine that it is for: ', el('code', null, 'ctctl login --token')),
    el('div', { class: 'buttons' }, el('button', { type: 'button', on: { click: () => box.close() } }, 'I have it'))])
  box.addEventListener('close', () => { put(box); box.remove() })
  document.body.append(box)
  box.showModal()
}

// For how long: no longer than the server lets a token live.
function lifetimes(max) {
  const all = [[7, '7 days'], [30, '30 days'], [90, '90 days'], [365, 'a year']].filter(([n]) => !max || n <= max)
  const rest = max ? [[max, `${max} days`]].filter(([n]) => !all.some(([m]) => m === n)) : [[0, 'until it is revoked']]
  return el('div', { class: 'field' }, el('label', { for: 'days' }, 'Good for'),
    el('select', { id: 'days', name: 'days' }, [...all, ...rest].map(([n, t]) => el('option', { value: n ? `${n}d` : 'never', selected: n === 90 }, t))))
}

export const tokens = (main, fail) => place(main, 'Tokens', 'What machines log in with. Each is shown once, when it is made.', async (body, signal, again) => {
  const [{ tokens: list }, ways] = await Promise.all([ask('GET', 'auth/tokens', null, { signal }), ask('GET', 'about', null, { signal })])
  const make = () => confirm({ title: 'A new token', label: 'Make it', text: [], method: 'POST', path: 'auth/token',
    fields: [field('token-name', 'What it is for', { maxlength: '80', required: true, autocomplete: 'off' }), lifetimes(ways.maxTokenDays)],
    body: box => ({ name: box.querySelector('#token-name').value, expiresIn: box.querySelector('#days').value }),
    done: o => { again(); shown(o) } })
  put(body, el('div', { class: 'buttons' }, el('button', { type: 'button', class: 'main', on: { click: make } }, 'Make a token')),
    list.length ? el('ul', { class: 'things panel' }, list.map(t => thing(line(t.name, 80),
      [el('code', null, `…${t.last4}`), t.lastUsedAt ? ['last used ', ago(t.lastUsedAt)] : 'never used', ['made ', ago(t.createdAt)],
        t.expiresAt ? ['ends ', when(t.expiresAt, { dateStyle: 'medium' })] : 'without an end'],
      button('Revoke', `Revoke ${bare(t.name)}, ${t.last4}`, () => confirm({ title: `Revoke ${bare(t.name)}?`, label: 'Revoke it',
        text: ['The machine that has it saves nothing more here until somebody logs in on it again.'], method: 'DELETE',
        path: `auth/tokens/${encodeURIComponent(t.id)}`, done: () => { say('It is revoked'); again() } })))))
      : el('p', { class: 'empty' }, 'There is none.'))
}, fail)
