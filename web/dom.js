// Elements and texts: the only place where either is made.  A string is always a text, never markup.

const plain = new Set(['class', 'id', 'type', 'title', 'role', 'for', 'tabindex', 'placeholder', 'value',
  'dir', 'datetime', 'name', 'autocomplete', 'spellcheck', 'scope', 'max', 'min', 'maxlength'])
const bare = new Set(['hidden', 'open', 'disabled', 'selected', 'checked', 'required'])

// An element with attributes and content: strings, nodes, arrays of these; null and false are left out.
export function el(name, attributes, ...content) {
  const e = document.createElement(name)
  for (const [key, value] of Object.entries(attributes ?? {})) {
    if (value === null || value === undefined || value === false) continue
    if (key === 'on') for (const [what, f] of Object.entries(value)) e.addEventListener(what, f)
    else if (key === 'href') { if (String(value).startsWith('#')) e.setAttribute('href', value) }
    else if (plain.has(key) || /^(aria|data)-[a-z-]+$/.test(key)) e.setAttribute(key, value)
    else if (bare.has(key)) e.setAttribute(key, '')
    else throw new Error(`no attribute ${key} here`)
  }
  fill(e, content)
  return e
}

export function fill(e, content) {
  for (const c of content.flat(Infinity)) {
    if (c === null || c === undefined || c === false) continue
    e.append(c instanceof Node ? c : document.createTextNode(String(c)))
  }
  return e
}

// Put ${content} in the place of what is in ${e}.
export function put(e, ...content) {
  e.replaceChildren()
  return fill(e, content)
}

export const $ = id => document.getElementById(id)

export const isNumber = n => typeof n === 'number' && Number.isFinite(n) && n >= 0

export function bytes(n) {
  if (!isNumber(n)) return ''
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let i = 0
  while (n >= 1000 && i < units.length - 1) { n /= 1000; i++ }
  return `${i && n < 100 ? n.toFixed(1) : Math.round(n)} ${units[i]}`
}

export const count = (n, one, many) => !isNumber(n) ? '' : `${n.toLocaleString('en')} ${n === 1 ? one : many ?? one + 's'}`

export function ago(at) {
  const s = (Date.now() - Date.parse(at)) / 1000
  if (!Number.isFinite(s)) return ''
  if (s < 60) return 'just now'
  if (s < 3600) return `${Math.floor(s / 60)} min ago`
  if (s < 86400) return `${Math.floor(s / 3600)} h ago`
  if (s < 86400 * 14) return count(Math.floor(s / 86400), 'day') + ' ago'
  return new Date(at).toLocaleDateString('en-GB', { year: 'numeric', month: 'short', day: 'numeric' })
}

export function when(at, options = { dateStyle: 'medium', timeStyle: 'short' }) {
  const t = new Date(at ?? NaN)
  return Number.isNaN(t.getTime()) ? null
    : el('time', { datetime: t.toISOString(), title: t.toLocaleString('en-GB') }, t.toLocaleString('en-GB', options))
}
