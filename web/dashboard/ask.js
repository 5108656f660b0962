// Questions to the server.  A log-in is two halves: a cookie, which no script sees, and what is kept
// here and sent as a header, which pages of other origins can't.

const key = 'codeteleport-dashboard'

export class Refused extends Error {
  constructor(status, code, message) {
    super(message)
    this.status = status
    this.code = code
  }
}

export const isIn = () => localStorage.getItem(key) !== null
export const keep = half => localStorage.setItem(key, half)
export const forget = () => localStorage.removeItem(key)

// Call f when another tab signs in or out.
export const onOther = f => addEventListener('storage', e => { if (e.key === key || e.key === null) f() })

function sentence(answer, o) {
  const wait = Number(answer.headers.get('Retry-After'))
  const text = typeof o?.message === 'string' ? o.message : 'that did not work'
  return answer.status === 429 && wait > 59 ? `${text.replace(/[;,.] *try again.*$/, '')}. Try again in ${Math.ceil(wait / 60)} minutes.` : text
}

// Ask for METHOD PATH of the API below /app/api/; half stands for the one that is kept.
export async function ask(method, path, body, { half, signal } = {}) {
  const headers = { 'X-Codeteleport-Dashboard': half ?? localStorage.getItem(key) ?? 'none' }
  if (body) headers['Content-Type'] = 'application/json'
  let answer, o
  try {
    answer = await fetch(`api/${path}`, { method, headers, body: body && JSON.stringify(body), cache: 'no-store',
      credentials: 'same-origin', redirect: 'error', signal })
    o = await answer.json()
  } catch (e) {
    if (e.name === 'AbortError') throw e
    throw new Refused(0, 'offline', 'The server can not be reached. Try again in a moment.')
  }
  if (!answer.ok) throw new Refused(answer.status, o?.error, sentence(answer, o))
  return o
}

// All pages of a list, one after the other; f is called with what is there so far and how many there are.
export async function pages(path, name, f, signal) {
  const all = []
  for (;;) {
    const o = await ask('GET', `${path}${path.includes('?') ? '&' : '?'}limit=100&offset=${all.length}`, null, { signal })
    all.push(...o[name])
    f(all, o.total ?? all.length)
    if (!o[name].length || all.length >= (o.total ?? 0)) return all
  }
}
