// A session that somebody shares: fetched sealed, opened here with the key behind the # of the link.

import { $, el, put, when } from '../dom.js'
import { pre, prose, visible } from '../prose.js'

const MAGIC = new TextEncoder().encode('CTSHARE1')
const NONCE = 12, LENGTH = 8
const MOST = 256 << 20 // bytes of text: nobody reads more
const BATCH = 100 // turns at a time

class Refused extends Error {}

// ---- the key ---------------------------------------------------------------------------------------

// Taken out of the address: whoever looks at the screen, or copies the address, has not the key.
function takeKey() {
  const text = location.hash.slice(1)
  history.replaceState(null, '', location.pathname)
  if (!/^[A-Za-z0-9_-]{43}$/.test(text))
    throw new Refused('This link is not whole: the key behind its # is missing. Open the link once more, all of it, as you got it.')
  return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/') + '='), c => c.charCodeAt(0))
}

// Who prepares pages before anybody looks at them is not told, and does not count.
const seen = () => new Promise(go => {
  const look = () => { if (document.visibilityState === 'visible' && !document.prerendering) go() }
  document.addEventListener('visibilitychange', look)
  document.addEventListener('prerenderingchange', look)
  look()
})

// ---- fetching and opening --------------------------------------------------------------------------

const quietly = { credentials: 'omit', cache: 'no-store', referrerPolicy: 'no-referrer', redirect: 'error' }

async function answer(url, options) {
  try {
    return await fetch(url, { ...quietly, ...options })
  } catch {
    throw new Refused('The server does not answer. Try again in a moment: open the link once more.')
  }
}

async function place() {
  const res = await answer(location.pathname, { method: 'POST', headers: { 'X-Share': '1' } })
  if (res.status === 404)
    throw new Refused('There is nothing here any more: what was shared has ended. Whoever sent you the link can make a new one.')
  if (!res.ok) throw new Refused((await res.json().catch(() => ({}))).message ?? 'The server can not show this now.')
  return res.json()
}

async function unzip(bytes) {
  const reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip')).getReader()
  const parts = []
  let n = 0
  for (;;) {
    const { value, done } = await reader.read()
    if (done) break
    n += value.length
    if (n > MOST) throw new Refused('This is longer than a page can show.')
    parts.push(value)
  }
  return new Blob(parts).text()
}

// See "Sharing" in DESIGN.md.
async function unseal(key, bytes) {
  const head = bytes.subarray(0, MAGIC.length)
  if (bytes.length < MAGIC.length + NONCE || MAGIC.some((b, i) => head[i] !== b))
    throw new Refused('What lies there is not a session that this page knows how to open.')
  let plain
  try {
    const k = await crypto.subtle.importKey('raw', key, 'AES-GCM', false, ['decrypt'])
    plain = await crypto.subtle.decrypt({ name: 'AES-GCM', iv: bytes.subarray(MAGIC.length, MAGIC.length + NONCE), additionalData: head },
      k, bytes.subarray(MAGIC.length + NONCE))
  } catch {
    throw new Refused('The key of this link does not fit: the link was changed on its way to you, or what lies there was.')
  }
  const n = Number(new DataView(plain).getBigUint64(0))
  return JSON.parse(await unzip(new Uint8Array(plain, LENGTH, n)))
}

// ---- showing ---------------------------------------------------------------------------------------

// What ctctl cat printed of a turn: perhaps a line at the margin that says who speaks, then what was said.
function turn(t) {
  const lines = String(t?.text ?? '').replace(/^\n+|\n+$/g, '').split('\n')
  const who = lines[0] !== '' && !lines[0].startsWith(' ') ? lines.shift() : null
  const kind = ['prompt', 'answer', 'thinking', 'call', 'result', 'summary', 'note'].includes(t?.kind) ? t.kind : 'note'
  const words = lines.map(s => s.replace(kind === 'result' ? /^ {0,4}/ : /^ {0,2}/, '')).join('\n')
  return el('article', { class: `turn ${kind}` },
    who === null ? null : el('header', null, el('b', null, visible(who.replace(/^You\b/, 'The person')))),
    kind === 'call' || kind === 'result' ? pre(words, { class: kind === 'result' ? 'result code' : null })
      : el('div', { class: 'prose' }, prose(words)))
}

async function show(turns, to) {
  for (let i = 0; i < turns.length; i += BATCH) {
    to.append(...turns.slice(i, i + BATCH).map(turn))
    await new Promise(go => setTimeout(go))
  }
}

async function open() {
  const key = takeKey()
  if (!globalThis.crypto?.subtle || !globalThis.DecompressionStream)
    throw new Refused('This browser can not open it: it takes a newer one, and an address that begins with https.')
  await seen()
  const { url, sizeBytes, expiresAt } = await place()
  const res = await answer(url)
  if (!res.ok) throw new Refused('There is nothing here any more: what was shared has ended.')
  const bytes = new Uint8Array(await res.arrayBuffer())
  if (bytes.length !== sizeBytes) throw new Refused('What lies there is not whole.')
  const { turns } = await unseal(key, bytes)
  if (!Array.isArray(turns)) throw new Refused('What lies there is not a session that this page knows how to open.')
  put($('about'), 'Opened here, in your browser, with the key in the link: the server can not read it. It can be read until ',
    when(expiresAt), '. What it says is what somebody and an agent wrote: think before you run any of it.')
  await show(turns, $('turns'))
  document.documentElement.dataset.ready = ''
}

// The same link opened once more in this tab.
addEventListener('hashchange', () => { if (location.hash.length > 1) location.reload() })

open().catch(e => {
  put($('about'), e instanceof Refused ? e.message : 'This can not be shown: it is not what this page expects.')
  $('about').className = 'notice'
  document.documentElement.dataset.ready = ''
})
