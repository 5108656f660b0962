// The conversation, in pieces that come and go as one scrolls.  The program finds a piece of the transcript
// by its place alone, so one of any length is there at once; how high the others will be is estimated.

import { ask, picture, Refused } from './ask.js'
import { bytes, count, el, put, when } from './dom.js'
import { line, pre, prose, visible } from './prose.js'

const KEEP = 14 // pieces that stay once they are out of sight
const GUESS = 1600 // pixels

const names = { prompt: 'You', answer: 'The agent', thinking: 'Thinking', summary: 'What came before, in short',
  note: 'Note', result: 'Result' }

// ---- one turn ----------------------------------------------------------------------------------

function parsed(text) {
  try {
    const o = JSON.parse(text)
    return o && typeof o === 'object' && !Array.isArray(o) ? o : null
  } catch { return null }
}

// Lines that went and lines that came; what both begin and end with is left out, but for two lines.
function changed(before, after) {
  const a = String(before ?? '').split('\n'), b = String(after ?? '').split('\n')
  let head = 0, tail = 0
  while (head < a.length && head < b.length && a[head] === b[head]) head++
  while (tail < a.length - head && tail < b.length - head && a.at(-1 - tail) === b.at(-1 - tail)) tail++
  const row = (mark, kind) => s => el('div', { class: kind }, mark + ' ', visible(s))
  return el('div', { class: 'diff code', dir: 'ltr', role: 'group', 'aria-label': 'What it changed', tabindex: '0' },
    a.slice(Math.max(0, head - 2), head).map(row(' ', 'same')),
    a.slice(head, a.length - tail).map(row('−', 'gone')),
    b.slice(head, b.length - tail).map(row('+', 'new')),
    b.slice(b.length - tail, b.length - tail + 2).map(row(' ', 'same')))
}

function argument(key, value) {
  const text = typeof value === 'string' ? value : JSON.stringify(value, null, 1)
  return [el('dt', null, line(key, 60)), el('dd', null,
    text.length > 80 || text.includes('\n') ? pre(text, { class: 'code' }) : el('code', { dir: 'auto' }, visible(text)))]
}

// The plan of a TodoWrite, as a list that can be read.
function plan(todos) {
  const marks = { completed: '✓', in_progress: '▸', pending: '○' }
  return el('ul', { class: 'plan' }, todos.slice(0, 200).map(t =>
    el('li', { class: t?.status === 'completed' ? 'done' : null },
      `${marks[t?.status] ?? '·'} `, line(t?.content ?? t?.subject ?? '', 400))))
}

function call(t) {
  const o = parsed(t.text), edits = o && (Array.isArray(o.edits) ? o.edits : [o])
  if (!o) return [pre(t.text, { class: 'code' })]
  if (Array.isArray(o.todos)) return [plan(o.todos)]
  if (typeof o.plan === 'string') return [el('div', { class: 'prose' }, prose(o.plan))]
  const diffs = edits.filter(e => typeof e?.old_string === 'string' && typeof e?.new_string === 'string')
    .map(e => changed(e.old_string, e.new_string))
  const rest = Object.entries(o).filter(([k]) => !diffs.length || !['old_string', 'new_string', 'edits'].includes(k))
  return [rest.length ? el('dl', { class: 'arguments' }, rest.slice(0, 50).map(([k, v]) => argument(k, v))) : null, diffs]
}

// Shown folded: what is in it is made when it is opened.
function folded(t, kind, head, make) {
  const d = el('details', { class: kind, 'data-fold': kind }, el('summary', null, head))
  d.addEventListener('toggle', () => { if (d.open && d.childElementCount === 1) d.append(...[make()].flat(3).filter(Boolean)) })
  return d
}

function result(t) {
  const lines = t.text.split('\n'), short = lines.slice(0, 3).join('\n').slice(0, 300)
  if (t.text.trim() === '') return el('p', { class: 'nothing' }, 'no output')
  if (lines.length <= 3 && t.text.length <= 300) return pre(t.text, { class: 'result code' })
  return folded(t, 'result', [el('span', { class: 'preview' }, visible(short)),
    el('span', { class: 'more' }, t.length ? bytes(t.length) : count(lines.length, 'line'))],
  () => pre(t.text, { class: 'code' }))
}

function body(t) {
  switch (t.kind) {
  case 'call': return folded(t, 'call', [el('b', null, line(t.tool, 60)), ' ',
    el('span', { class: 'brief', dir: 'auto' }, line(t.brief ?? '', 200))], () => call(t))
  case 'result': return result(t)
  case 'thinking': return folded(t, 'thinking', 'Thinking', () => el('div', { class: 'prose' }, prose(t.text)))
  case 'summary': case 'note': return folded(t, t.kind,
    [el('b', null, names[t.kind]), ' ', el('span', { class: 'brief' }, line(t.text, 160))],
    () => el('div', { class: 'prose' }, t.kind === 'summary' ? prose(t.text) : pre(t.text)))
  default: return el('div', { class: 'prose' }, prose(t.text))
  }
}

// What was cut is asked for when somebody wants it.
function rest(t, more, article) {
  const b = el('button', { type: 'button', class: 'rest', on: { click: async () => {
    b.disabled = true
    try {
      const whole = await more()
      const left = (whole.length ?? 0) > 0
      article.replaceChildren(pre(whole.text, { class: 'code' }))
      if (left) article.append(el('p', { class: 'nothing' }, `It goes on; all ${bytes(whole.length)}: ctctl cat ID --tools`))
    } catch (e) { b.disabled = false; b.textContent = e.message }
  } } }, `Show all ${bytes(t.length)}`)
  return b
}

const WIDE = 1400 // pixels of a picture, at most
const MOST = 20 // pictures of a turn

async function draw(canvas, get) {
  try {
    const bitmap = await get()
    const scale = Math.min(1, WIDE / bitmap.width, WIDE / bitmap.height)
    canvas.width = Math.max(1, Math.round(bitmap.width * scale))
    canvas.height = Math.max(1, Math.round(bitmap.height * scale))
    canvas.getContext('2d').drawImage(bitmap, 0, 0, canvas.width, canvas.height)
    bitmap.close()
  } catch (e) {
    if (e.name !== 'AbortError') canvas.replaceWith(el('p', { class: 'nothing' }, 'This picture can not be shown'))
  }
}

// Pictures that are in sight are drawn, one after the other: each costs the program a look into the file.
class Gallery {
  constructor() {
    this.waiting = new Map() // canvas -> how to get it
    this.inSight = []
    this.eye = new IntersectionObserver(entries => {
      for (const e of entries) if (e.isIntersecting && this.waiting.has(e.target)) {
        this.eye.unobserve(e.target)
        this.inSight.push(e.target)
      }
      this.work()
    }, { rootMargin: '200px 0px' })
  }

  add(canvas, get) {
    this.waiting.set(canvas, get)
    this.eye.observe(canvas)
  }

  async work() {
    if (this.busy) return
    this.busy = true
    for (let c; (c = this.inSight.shift());) {
      const get = this.waiting.get(c)
      this.waiting.delete(c)
      if (c.isConnected) await draw(c, get)
    }
    this.busy = false
  }

  close() {
    this.eye.disconnect()
    this.inSight = []
  }
}

function pictures(t, image) {
  const box = el('div', { class: 'pictures' }), n = Math.min(t.images, MOST)
  for (let i = 0; i < n; i++) {
    const c = el('canvas', { role: 'img', 'aria-label': `A picture, ${i + 1} of ${t.images}` })
    image(c, i)
    box.append(c)
  }
  if (t.images > n) box.append(el('p', { class: 'nothing' }, `${t.images - n} more`))
  return box
}

const sameDay = (a, b) => a && b && new Date(a).toDateString() === new Date(b).toDateString()

// One turn as an article; ${before} is the one in front of it, ${more} gets it whole, ${image} draws one
// of its pictures on a canvas.
export function turn(t, before, more, image) {
  const isAgent = ['answer', 'thinking', 'call'].includes(t.kind) && (!before || before.kind === 'prompt')
  const a = el('article', { class: `turn ${t.kind}${t.subagent ? ' subagent' : ''}`,
    tabindex: t.kind === 'prompt' ? '-1' : null, 'aria-label': names[t.kind] ?? 'Tool' })
  if (isAgent || (t.kind === 'prompt' && before?.kind !== 'prompt'))
    a.append(el('header', null, el('b', null, t.subagent ? 'Subagent' : isAgent ? names.answer : names.prompt), ' ',
      when(t.at, sameDay(t.at, before?.at) ? { timeStyle: 'short' } : undefined)))
  const isPicture = t.images > 0 && image
  if (!isPicture || t.text.replaceAll('[image]', '').trim()) a.append(body(t))
  if (isPicture) a.append(pictures(t, image))
  if (t.length && more) a.append(rest(t, more, a))
  return a
}

// A turn that can't be drawn costs no other one, and is there as it was written.
function safely(t, ...rest) {
  try { return turn(t, ...rest) } catch {
    return el('article', { class: 'turn' }, el('p', { class: 'failed' }, 'Shown as it is, for it could not be drawn'), pre(t.text))
  }
}

// ---- all of them -------------------------------------------------------------------------------

export class Turns {
  // ${what} is {id, version, part, agent}, as "open" is asked.
  constructor(what) {
    this.what = what
    this.root = el('div', { class: 'turns', role: 'group', 'aria-label': 'Conversation' })
    this.sections = []
    this.loaded = new Map() // piece -> when it was seen last
    this.wanted = new Set()
    this.near = new IntersectionObserver(entries => this.see(entries), { rootMargin: '1200px 0px' })
    this.abort = new AbortController()
    this.gallery = new Gallery()
  }

  async open() {
    const o = await ask('open', this.what, { signal: this.abort.signal })
    this.handle = o.handle
    this.size = o.size
    this.pieceBytes = o.pieceBytes
    this.grow(Math.max(1, Math.ceil(o.size / o.pieceBytes)))
  }

  close() {
    this.near.disconnect()
    this.gallery.close()
    this.abort.abort()
  }

  grow(n) {
    while (this.sections.length < n) {
      const s = el('section', { 'data-piece': this.sections.length, 'aria-busy': 'true' })
      const last = this.sections.length === n - 1 && this.size ? (this.size % this.pieceBytes) / this.pieceBytes : 1
      s.style.minHeight = `${Math.round((this.guess ?? GUESS) * Math.max(last, .1))}px`
      this.sections.push(s)
      this.root.append(s)
      this.near.observe(s)
    }
  }

  see(entries) {
    for (const e of entries) {
      const n = Number(e.target.dataset.piece)
      if (e.isIntersecting) {
        if (!this.loaded.has(n)) this.wanted.add(n)
        else this.loaded.set(n, performance.now())
      } else this.wanted.delete(n)
      e.target.isNear = e.isIntersecting
    }
    this.work()
  }

  // One piece at a time, the one nearest to the middle of what is seen first.
  async work() {
    if (this.busy) return
    this.busy = true
    while (this.wanted.size) {
      const middle = innerHeight / 2
      const far = n => { const r = this.sections[n].getBoundingClientRect(); return Math.abs((r.top + r.bottom) / 2 - middle) - r.height / 2 }
      const n = [...this.wanted].reduce((a, b) => far(b) < far(a) ? b : a)
      this.wanted.delete(n)
      try { await this.load(n) } catch (e) {
        if (e.name === 'AbortError') return
        put(this.sections[n], el('p', { class: 'failed' }, e.message))
      }
    }
    this.busy = false
    this.forget()
  }

  async get(query) {
    try {
      return await ask('turns', { handle: this.handle, ...query }, { signal: this.abort.signal })
    } catch (e) {
      if (!(e instanceof Refused) || e.status !== 410) throw e
      const o = await ask('open', this.what, { signal: this.abort.signal })
      this.handle = o.handle
      return ask('turns', { handle: this.handle, ...query }, { signal: this.abort.signal })
    }
  }

  async load(n) {
    const o = await this.get({ piece: n }), s = this.sections[n]
    let before = this.last?.piece === n - 1 ? this.last.turn : n === 0 ? null : { kind: 'answer' }
    const all = o.turns.map((t, i) => {
      const a = safely(t, before, async () => (await this.get({ piece: n, turn: i })).turns[0],
        (canvas, k) => this.gallery.add(canvas, () =>
          picture({ handle: this.handle, piece: n, turn: i, image: k }, { signal: this.abort.signal })))
      if (t.kind !== 'note') before = t
      return a
    })
    put(s, all, o.unread ? el('p', { class: 'failed' }, `${count(o.unread, 'line')} could not be read`) : null)
    s.style.minHeight = ''
    s.removeAttribute('aria-busy')
    if (this.isUnfolded) this.fold(true, s)
    this.last = { piece: n, turn: before }
    this.loaded.set(n, performance.now())
    this.guess = Math.max(200, Math.round(s.offsetHeight))
    this.size = o.size
    this.grow(o.pieces)
  }

  // Those out of sight for the longest give their memory back, and keep their height.
  forget() {
    const far = [...this.loaded].filter(([n]) => !this.sections[n].isNear).sort((a, b) => a[1] - b[1])
    for (const [n] of far.slice(0, Math.max(0, this.loaded.size - KEEP))) {
      const s = this.sections[n]
      s.style.minHeight = `${s.offsetHeight}px`
      s.setAttribute('aria-busy', 'true')
      s.replaceChildren()
      this.loaded.delete(n)
    }
  }

  fold(isOpen, where = this.root) {
    this.isUnfolded = isOpen
    for (const d of where.querySelectorAll('details[data-fold]'))
      if (d.dataset.fold !== 'note') d.open = isOpen
  }
}
