// Where one is, who one is, and keys.

import { $, put } from '../dom.js'
import { decoded, listen, say, step } from '../frame.js'
import * as account from './account.js'
import { ask, forget, isIn, keep, onOther } from './ask.js'
import * as door from './door.js'
import * as sessions from './sessions.js'
import * as things from './things.js'

const main = $('main')
let here = null // what is shown: {close, again, filter, back}

const places = {
  '/': ['Sessions', () => sessions.show(main, fail)],
  '/trash': ['Trash', () => things.trash(main, fail)],
  '/devices': ['Devices', () => things.devices(main, fail)],
  '/tokens': ['Tokens', () => things.tokens(main, fail)],
  '/account': ['Account', () => account.show(main, fail, toDoor)],
}

function toDoor(text) {
  here?.close?.()
  here = null
  for (const d of document.querySelectorAll('body > dialog:not(#help)')) d.remove()
  $('places').hidden = $('leave').hidden = true
  document.title = 'Sign in · Codeteleport'
  door.show(main, text, () => go())
}

function fail(e) {
  if (e.name === 'AbortError') return
  if (e.status === 401) {
    const was = isIn()
    forget()
    toDoor(was ? 'Your log-in has ended; sign in again.' : null)
  } else say(e.message)
}

function go() {
  if (!isIn()) return toDoor()
  here?.close?.()
  const now = decoded(location.hash.slice(1)) || '/', id = now.match(/^\/s\/([0-9A-Za-z-]{1,64})$/)?.[1]
  const [name, show] = id ? ['Session', () => sessions.one(main, id, fail)] : Object.hasOwn(places, now) ? places[now] : places['/']
  $('places').hidden = $('leave').hidden = false
  for (const a of $('places').querySelectorAll('a')) {
    if (a.hash === `#${now}` || (id && a.hash === '#/')) a.setAttribute('aria-current', 'page')
    else a.removeAttribute('aria-current')
  }
  document.title = `${name} · Codeteleport`
  here = show()
  scrollTo(0, 0)
  main.focus({ preventScroll: true })
}

async function leave() {
  try { await ask('POST', 'leave', {}) } catch (e) {
    if (e.status !== 401) { say(`${e.message} You are still signed in.`); return }
  }
  forget()
  toDoor('You are signed out.')
}

listen({
  '/': () => here?.filter?.(),
  j: () => step(main, 1),
  k: () => step(main, -1),
  u: () => { if (here?.back) location.hash = here.back },
  r: () => { if (isIn()) { say('Looking again'); go() } },
})
addEventListener('hashchange', go)
$('leave').addEventListener('click', leave)
onOther(() => isIn() ? go() : toDoor('You are signed out.'))

// Back from signing in at another site: its half counts if the cookie that came with it does.
async function arrive() {
  const [, what, value, word] = location.hash.match(/^#(key|error)=([A-Za-z0-9_-]{1,64})\.([0-9a-f]*)$/) ?? []
  if (!what) return go()
  const isMine = word && word === sessionStorage.getItem('word')
  history.replaceState(null, '', location.pathname + (isMine && sessionStorage.getItem('back') || ''))
  sessionStorage.removeItem('back')
  sessionStorage.removeItem('word')
  if (!isMine) return go()
  if (what === 'error') return isIn() ? (go(), say(door.why(value))) : toDoor(door.why(value))
  try {
    await ask('GET', 'auth/me', null, { half: value })
    keep(value)
    go()
  } catch (e) {
    if (isIn()) go()
    else toDoor(e.status === 401 ? 'That sign-in did not work; try again.' : e.message)
  }
}

put(main)
arrive()
