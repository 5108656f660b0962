// The account: what it holds, its password, all its log-ins, and its end.

import { bytes, count, el, put, when } from '../dom.js'
import { say } from '../frame.js'
import { bare, line } from '../prose.js'
import { ask, forget } from './ask.js'
import { confirm, field } from './holder.js'

// All that counts towards the quota.
const space = a => a.bytes + a.trashBytes + (a.sharedBytes ?? 0) + (a.tracesBytes ?? 0)

const panel = (heading, ...content) => el('section', { class: 'panel' }, el('h2', null, heading), content)

function usage(a, u) {
  const part = (name, used, limit) => [el('dt', null, name), el('dd', null, limit ? `${used} of ${limit}` : used)]
  const n = x => Number(x ?? 0).toLocaleString('en')
  return panel('What it holds', el('dl', { class: 'facts' }, part('Plan', line(u.plan ?? '', 40)),
    part('Sessions', n(u.sessions?.used), u.sessions?.limit && n(u.sessions.limit)), part('Devices', n(u.devices?.used), u.devices?.limit && n(u.devices.limit)),
    part('Space', bytes(space(a)), a.maxBytes && bytes(a.maxBytes)), a.trashBytes ? part('of it in the trash', bytes(a.trashBytes)) : null,
    part('Versions of a session', `at most ${u.versionsPerSession}`)),
  a.maxBytes ? el('progress', { max: a.maxBytes, value: Math.min(a.maxBytes, space(a)), 'aria-label': 'Space that is used' }) : null)
}

const ends = (go, what) => () => { forget(); go(what) }

function password(a, go) {
  const change = () => confirm({ title: a.hasPassword ? 'A new password' : 'A password for this account', label: 'Set it', text: [], method: 'POST', path: 'account/password', holder: a.hasPassword,
    fields: [field('new-password', 'New password', { type: 'password', autocomplete: 'new-password', required: true }, 'at least 8 characters'),
      el('label', { class: 'check' }, el('input', { type: 'checkbox', id: 'end-tokens' }), ' and end all tokens: every machine logs in anew')],
    body: box => ({ newPassword: box.querySelector('#new-password').value, endTokens: box.querySelector('#end-tokens').checked }),
    done: ends(go, 'The password is set, and all log-ins have ended. Sign in with the new one.') })
  return panel('Password', el('p', { class: 'quiet' }, a.hasPassword ? 'A new one ends all log-ins, this one too.' : 'It has none: you sign in at another site.'),
    el('button', { type: 'button', on: { click: change } }, a.hasPassword ? 'Change it' : 'Set one'))
}

const everywhere = (a, go) => panel('All log-ins and tokens',
  el('p', { class: 'quiet' }, 'If somebody may have got hold of one: all of them end at once, and every machine logs in anew. Nothing that is saved goes.'),
  el('button', { type: 'button', on: { click: () => confirm({ title: 'End all log-ins and tokens?', label: 'End them', holder: a.hasPassword,
    text: ['Your machines save nothing more here until somebody logs in on each of them again.'], method: 'POST', path: 'account/logout-all',
    done: ends(go, 'All log-ins and tokens have ended.') }) } }, 'End them all'))

const end = (a, go) => panel('The end', el('p', { class: 'quiet' }, 'The account and all that it has saved on this server. What lies on your machines stays there.'),
  el('button', { type: 'button', class: 'danger', on: { click: () => confirm({ title: 'Delete this account?', label: 'Delete the account', holder: a.hasPassword,
    text: [`${count(a.sessions, 'session')} of ${bare(a.email)} on this server. Nobody can bring them back after 30 days; who runs the server may until then.`],
    fields: [el('label', { class: 'check' }, el('input', { type: 'checkbox', id: 'now' }), ' at once, and not in 30 days')],
    body: box => ({ now: box.querySelector('#now').checked }), method: 'POST', path: 'account/delete', done: ends(go, 'The account is deleted.') }) } }, 'Delete the account'))

export function show(main, fail, go) {
  const abort = new AbortController(), body = el('div', { class: 'panels' }), head = el('p', { class: 'quiet' })
  put(main, el('div', { class: 'head' }, el('h1', null, 'Account'), head), body)
  const look = async () => {
    const [a, u] = await Promise.all(['account', 'billing/usage'].map(p => ask('GET', p, null, { signal: abort.signal })))
    put(head, line(a.email, 254), ', since ', when(a.createdAt, { dateStyle: 'medium' }))
    put(body, usage(a, u), password(a, go), everywhere(a, go), end(a, go))
  }
  look().catch(fail)
  return { close: () => abort.abort(), again: () => look().then(() => say('Looked again'), fail) }
}
