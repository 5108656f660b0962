// What the scenes share: a real browser, pages that are watched, and what they must never do.
// The environment: CHROMIUM the browser, SHOTS a folder for pictures (none: no pictures), LIMIT_S.

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const npm = process.argv[2]
const { chromium } = createRequire(join(npm, 'x.js'))('playwright-core')
const axe = readFileSync(join(npm, 'node_modules/axe-core/axe.min.js'), 'utf8')
const { SHOTS: shots } = process.env
export const limit = Number(process.env.LIMIT_S ?? 60) * 1000
const faults = []
// Where one is; which origin is ours, from when it is known; how much was asked of it; what pictures are called.
export const at = { place: '', origin: null, asked: 0, prefix: '' }
export const fault = text => { faults.push(`${at.place}: ${text}`); console.log(`# ${at.place}: ${text}`) }

export const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ['--no-sandbox', '--disable-dev-shm-usage'] })

export async function newContext(options = {}) {
  const c = await browser.newContext({ viewport: { width: 1280, height: 860 }, ...options })
  c.setDefaultTimeout(limit)
  return c
}

// A page that is watched: nothing but its own requests, nothing on the console, no dialog.
export async function watched(c) {
  const p = await c.newPage()
  p.on('console', m => {
    if (m.type() === 'error' && !p.mayFail) fault(`console: ${m.text()}`)
  })
  p.on('pageerror', e => fault(`error: ${e.message}`))
  p.on('dialog', d => { fault(`dialog: ${d.message()}`); d.dismiss() })
  p.on('popup', () => fault('a window opened'))
  p.on('request', r => {
    at.asked++
    if (at.origin && !r.url().startsWith(at.origin + '/') && !r.url().startsWith('file:')) fault(`asks ${r.url()}`)
  })
  return p
}

export async function accessible(p, name) {
  await p.evaluate(axe)
  const { violations } = await p.evaluate(() => axe.run(document, { resultTypes: ['violations'] }))
  for (const v of violations) fault(`axe on ${name}: ${v.id}: ${v.help}: ${v.nodes[0].target} ${v.nodes[0].failureSummary}`)
}

let n = 0
export async function picture(p, name) {
  if (shots) await p.screenshot({ path: join(shots, `${at.prefix}${String(++n).padStart(2, '0')}-${name}.png`) })
}

export async function view(p, name) {
  await p.waitForTimeout(300) // a transition of colours, which axe would measure in between
  await picture(p, name)
  await accessible(p, name)
  for (const [scheme, width] of process.env.CT_FULL ? [['dark', 1280], ['light', 420]] : [['dark', 420]]) {
    await p.emulateMedia({ colorScheme: scheme })
    await p.setViewportSize({ width, height: 860 })
    await p.waitForTimeout(200)
    await picture(p, `${name}-${width === 420 ? 'narrow' : scheme}`)
    await accessible(p, `${name}, ${scheme}, ${width} wide`)
    const wide = await p.evaluate(() => document.documentElement.scrollWidth - innerWidth)
    if (wide > 0) fault(`${name} is ${wide} pixels too wide at ${width}`)
  }
  await p.emulateMedia({ colorScheme: 'light' })
  await p.setViewportSize({ width: 1280, height: 860 })
}

// What is in a page after hostile text came into it.
export const inspect = p => p.evaluate(() => {
  const bad = []
  if (window.pwned !== undefined) bad.push('something ran')
  if ({}.polluted !== undefined) bad.push('a prototype was changed')
  if (document.title.includes('taken')) bad.push('the title was taken')
  for (const e of document.querySelectorAll('main *')) {
    if (!/^(A|ARTICLE|ASIDE|B|BLOCKQUOTE|BR|BUTTON|CANVAS|CODE|DD|DETAILS|DIV|DL|DT|H1|H2|HEADER|HR|LABEL|LI|OPTION|P|PRE|SECTION|SELECT|SPAN|STRONG|SUMMARY|TIME|UL)$/.test(e.tagName))
      bad.push(`<${e.tagName.toLowerCase()}> in the page`)
    for (const a of e.attributes)
      if (/^on/i.test(a.name) || (a.name === 'href' && !a.value.startsWith('#')) || a.name === 'src' || (a.name === 'style' && !/^min-height: [0-9.]+px;$/.test(a.value) && a.value))
        bad.push(`${e.tagName} ${a.name}=${a.value}`)
  }
  for (const e of document.querySelectorAll('.failed'))
    if (/drawn|null|undefined|not a function|iterable/.test(e.textContent)) bad.push(e.textContent)
  // A character that can't be seen or turns the order of text never reaches the page, nor its title.
  const unseen = /[\u202a-\u202e\u2066-\u2069\u0000-\u0008\u001b\u00ad\u061c\u115f\u1160\u180b\u200b\u2028-\u202e\u2060\u3164\u{e0000}-\u{e0fff}\u{1d173}]/u
  if (unseen.test(document.querySelector('main').textContent + document.title)) bad.push('a character that can not be seen')
  return [...new Set(bad)]
})

export const goto = (p, hash) => p.evaluate(h => { location.hash = h }, hash)

// Play these scenes.  The end of the program: "done", or status 1 with what is wrong.
export async function play(scene, names) {
  for (const s of names) {
    const t = Date.now()
    if (!scene[s]) throw new Error(`no scene ${s}`)
    await scene[s]()
    console.log(`# ${s}: ${Date.now() - t} ms`)
  }
  await browser.close()
  if (faults.length) process.exit(1)
  console.log('done')
}
