// The token, and questions to the program.  The link's secret counts once and leaves the address at once;
// the token is this tab's, and another tab of this page gets it from here.

const channel = new BroadcastChannel('codeteleport')
const key = 'token'

export class Refused extends Error {
  constructor(status, message) {
    super(message)
    this.status = status
  }
}

async function call(path, options) {
  let answer, o
  try {
    answer = await fetch(path, { cache: 'no-store', redirect: 'error', ...options })
    o = await answer.json()
  } catch (e) {
    if (e.name === 'AbortError') throw e
    throw new Refused(0, 'ctctl web does not answer: it has ended. Start it again: ctctl web')
  }
  if (!answer.ok) throw new Refused(answer.status, o?.error?.message ?? 'that did not work')
  return o
}

// Take the link that is in the address, else the token of this tab, else that of another tab.
// Return whether there is one.
export async function enter() {
  const link = location.hash.match(/^#link=([0-9a-f]{64})$/)?.[1]
  if (link) {
    history.replaceState(null, '', '/')
    const o = await call('/api/enter', { method: 'POST', headers: { 'X-Codeteleport-Link': link } })
    sessionStorage.setItem(key, o.token)
  }
  channel.onmessage = m => {
    if (m.data === 'ask' && sessionStorage.getItem(key))
      channel.postMessage({ token: sessionStorage.getItem(key) })
  }
  if (!sessionStorage.getItem(key)) await fromAnotherTab()
  return sessionStorage.getItem(key) !== null
}

function fromAnotherTab() {
  return new Promise(done => {
    const other = new BroadcastChannel('codeteleport')
    const end = () => { other.close(); done() }
    other.onmessage = m => {
      if (typeof m.data?.token !== 'string') return
      sessionStorage.setItem(key, m.data.token)
      end()
    }
    other.postMessage('ask')
    setTimeout(end, 500)
  })
}

// The bytes of a picture.  They are drawn, never put into an element that could be something else.
export async function picture(query, options) {
  const answer = await fetch(`/api/image?${new URLSearchParams(query)}`, { cache: 'no-store', redirect: 'error',
    headers: { 'X-Codeteleport-Token': sessionStorage.getItem(key) ?? '' }, ...options })
  const bytes = await answer.blob()
  if (!answer.ok || !bytes.size) throw new Refused(answer.status, 'This picture can not be shown')
  return createImageBitmap(bytes)
}

export function ask(what, query = {}, options = {}) {
  const q = new URLSearchParams()
  for (const [k, v] of Object.entries(query))
    for (const one of [v].flat()) if (one !== undefined && one !== null) q.append(k, one)
  const headers = { 'X-Codeteleport-Token': sessionStorage.getItem(key) ?? '' }
  return call(`/api/${what}?${q}`, { headers, ...options })
}

// What a verb of ctctl answers; what it said instead of an answer is the message.
export async function verb(what, query, options) {
  const o = await ask(what, query, options)
  if (o.answer?.error || (o.exit !== 0 && o.answer === null))
    throw new Refused(o.exit, o.answer?.error?.message ?? (o.said.trim() || `ctctl ${what} failed`))
  return o
}
