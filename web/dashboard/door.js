// The door: signing in with a password, at another site, with an invitation.

import { $, el, put } from '../dom.js'
import { ask, keep } from './ask.js'
import { field } from './holder.js'

const reasons = { access_denied: 'Signing in was called off there.', code_refused: 'The other site did not confirm that sign-in; try again.',
  provider_unreachable: 'The other site can not be reached at the moment; try again later.', not_allowed: 'This server does not let that account in; ask whoever runs it.',
  email_not_verified: 'The other site has no verified e-mail of yours.', email_in_use: 'There is an account with that e-mail here already: sign in with its password.',
  account_disabled: 'This account is disabled; ask whoever runs the server.', registration_closed: 'There is no account here for that; ask whoever runs this server.' }

export const why = code => reasons[code] ?? 'That sign-in did not work; try again.'

let ways = null

// To the other site, and back to where one was.  What comes back has to bear the word that went along:
// another's sign-in, which somebody led here, does not.
export function away(to) {
  const word = [...crypto.getRandomValues(new Uint8Array(16))].map(b => b.toString(16).padStart(2, '0')).join('')
  sessionStorage.setItem('back', location.hash)
  sessionStorage.setItem('word', word)
  location.assign(`../v1/auth/${to}?dashboard=1&state=${word}`)
}

function form(said, path, label, fields, extra) {
  const go = el('button', { class: 'main' }, label), failed = el('p', { class: 'failed', role: 'alert' })
  const f = el('form', { class: 'door', on: { submit: async e => {
    e.preventDefault()
    const body = Object.fromEntries(new FormData(f))
    if (body.again !== undefined && body.again !== body.password) { put(failed, 'The two passwords differ.'); return }
    delete body.again
    go.disabled = true
    put(failed)
    try {
      keep((await ask('POST', path, body)).key)
      said()
    } catch (e) {
      put(failed, e.message)
      go.disabled = false
      f.querySelector('[type=password]')?.select()
    }
  } } }, fields, failed, go, extra)
  return f
}

const email = () => field('email', 'E-mail', { type: 'email', autocomplete: 'username', required: true, spellcheck: 'false' })
const password = (autocomplete, label = 'Password', id = 'password', hint) => field(id, label, { type: 'password', autocomplete, required: true }, hint)

// Show it; enter() is called when somebody is in.  TEXT says why one is here.
export async function show(main, text, enter) {
  const box = el('div', { class: 'end' })
  put(main, box)
  try { ways = await ask('GET', 'about') } catch (e) {
    put(box, el('h1', null, 'Nobody answers'), el('p', null, e.message),
      el('button', { type: 'button', on: { click: () => show(main, text, enter) } }, 'Try again'))
    return
  }
  const others = [['github', 'Sign in with GitHub'], ['oidc', 'Sign in with your organisation']].filter(([name]) => ways[name])
    .map(([name, label]) => el('button', { type: 'button', class: 'wide', on: { click: () => away(name) } }, label))
  const inside = () => put(box, el('h1', null, 'Sign in'), text ? el('p', { class: 'notice', role: 'status' }, text) : null,
    form(enter, 'auth/login', 'Sign in', [email(), password('current-password')]), others,
    ways.registration === 'closed' ? el('p', { class: 'quiet' }, 'No account? Ask whoever runs this server.')
      : el('button', { type: 'button', class: 'wide', on: { click: () => { register(); $('email').focus() } } },
        ways.registration === 'invite' ? 'I have an invitation' : 'Make an account'))
  const register = () => put(box, el('h1', null, 'A new account'),
    form(enter, 'auth/register', 'Make it', [ways.registration === 'invite' ? field('invite', 'Invitation', { required: true, autocomplete: 'off', spellcheck: 'false' },
      'the code that whoever runs this server gave you') : null, email(), password('new-password', 'Password', 'password', 'at least 8 characters'),
    password('new-password', 'Password once more', 'again')]),
    el('button', { type: 'button', class: 'wide', on: { click: () => { inside(); $('email').focus() } } }, 'Sign in instead'))
  inside()
  $('email').focus()
}
