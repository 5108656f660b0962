// browse.mjs NPM SCENE...: a real browser looks at ctctl web and says what is wrong with it.
// The environment: WEB_LINK the file that leads there, SESSIONS lines of "ID NAME", SHOTS a folder for
// pictures (none: no pictures), CHROMIUM the browser, OTHER the address of a server that is not ours.

import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const [npm, ...scenes] = process.argv.slice(2)
const { chromium } = createRequire(join(npm, 'x.js'))('playwright-core')
const axe = readFileSync(join(npm, 'node_modules/axe-core/axe.min.js'), 'utf8')
const { WEB_LINK: link, SESSIONS: list = '', SHOTS: shots, OTHER: other } = process.env
const sessions = list.trim().split('\n').filter(Boolean).map(l => l.split(' '))
const limit = Number(process.env.LIMIT_S ?? 60) * 1000
const faults = []
let place = ''
const fault = text => { faults.push(`${place}: ${text}`); console.log(`# ${place}: ${text}`) }

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ['--no-sandbox', '--disable-dev-shm-usage'] })
const context = await browser.newContext({ viewport: { width: 1280, height: 860 }, permissions: ['clipboard-write'] })
context.setDefaultTimeout(limit)
let origin = null
let asked = 0

// A page that is watched: nothing but its own requests, nothing on the console, no dialog.
async function watched(c = context) {
  const p = await c.newPage()
  p.on('console', m => {
    if (m.type() === 'error' && !p.mayFail) fault(`console: ${m.text()}`)
  })
  p.on('pageerror', e => fault(`error: ${e.message}`))
  p.on('dialog', d => { fault(`dialog: ${d.message()}`); d.dismiss() })
  p.on('popup', () => fault('a window opened'))
  p.on('request', r => {
    asked++
    if (origin && !r.url().startsWith(origin + '/') && !r.url().startsWith('file:')) fault(`asks ${r.url()}`)
  })
  return p
}

async function accessible(p, name) {
  await p.evaluate(axe)
  const { violations } = await p.evaluate(() => axe.run(document, { resultTypes: ['violations'] }))
  for (const v of violations) fault(`axe on ${name}: ${v.id}: ${v.help}: ${v.nodes[0].target} ${v.nodes[0].failureSummary}`)
}

let n = 0
async function picture(p, name) {
  if (shots) await p.screenshot({ path: join(shots, `${String(++n).padStart(2, '0')}-${name}.png`) })
}

async function view(p, name) {
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

const goto = (p, hash) => p.evaluate(h => { location.hash = h }, hash)
const page = await watched()

async function enter() {
  await page.goto(`file://${link}`)
  await page.waitForURL(/^http:/)
  await page.waitForSelector('#main .sum')
  origin = new URL(page.url()).origin
  if (page.url() !== `${origin}/`) fault(`the secret stays in the address: ${page.url().length} characters`)
  await page.waitForFunction(() => !document.querySelector('.sum').textContent.includes('Looking'))
}

// What is in a page after hostile text came into it.
const inspect = p => p.evaluate(() => {
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

const scene = {
  // Every hostile session is opened, unfolded, and nothing comes of it.
  async hostile() {
    for (const [id, name] of sessions) {
      place = `hostile ${name}`
      await goto(page, `#/s/${id}`)
      await page.waitForSelector('.turn', { state: 'attached' })
      await page.keyboard.press('o')
      const deadline = Date.now() + limit
      await page.waitForFunction(() => [...document.querySelectorAll('details[data-fold]')].every(d => d.dataset.fold === 'note' || d.open))
      await page.evaluate(() => { for (const d of document.querySelectorAll('.note details')) d.open = true })
      for (const b of (await page.$$('button.rest')).slice(0, 3)) if (Date.now() < deadline) await b.evaluate(e => e.click())
      await page.waitForTimeout(150)
      if (asked > 300) fault(`${asked} questions for one session`)
      asked = 0
      for (const bad of await inspect(page)) fault(bad)
    }
    place = 'hostile list'
    await goto(page, '#/%')
    await page.waitForSelector('.choices')
    await goto(page, '#/')
    await page.waitForSelector('a.row')
    for (const bad of await inspect(page)) fault(bad)
    await page.fill('#words', '<img'); await page.keyboard.press('Enter')
    await page.waitForSelector('.hit')
    for (const bad of await inspect(page)) fault(bad)
    await page.fill('#words', '')
  },

  // The ten views: nothing that axe finds, light, dark and narrow; by keyboard alone.
  async views() {
    const [id] = sessions[0]
    place = 'views'
    await goto(page, '#/')
    await page.waitForSelector('a.row')
    await view(page, 'list')
    await page.keyboard.press('/')
    await page.keyboard.type('zzzz-none')
    await page.waitForSelector('.empty')
    await view(page, 'nothing')
    await page.keyboard.press('Escape')
    await page.keyboard.press('?')
    await page.waitForSelector('dialog[open]')
    await view(page, 'keys')
    await page.keyboard.press('Escape')
    await page.keyboard.press('/')
    await page.keyboard.type('Parser')
    await page.keyboard.press('Enter')
    await page.waitForSelector('.hit')
    await view(page, 'found')
    await page.keyboard.press('u')
    await page.waitForSelector('.choices')
    await page.keyboard.press('j')
    await page.keyboard.press('Enter')
    await page.waitForSelector('.turn')
    await goto(page, `#/s/${id}`)
    await page.waitForSelector('.turn')
    await view(page, 'session')
    await page.keyboard.press('o')
    await page.waitForFunction(() => document.querySelector('details.call')?.open ?? true)
    await view(page, 'session-open')
    await page.click('aside summary >> text=What to type')
    await page.click('aside summary >> text=Versions')
    await page.waitForFunction(() => !document.querySelector('aside').textContent.includes('Asking'))
    await view(page, 'session-side')
    if (await page.$('aside .failed')) fault(await page.textContent('aside .failed'))
    await page.click('aside a >> text=Read')
    await page.waitForSelector('.place')
    await page.waitForSelector('.turn')
    await view(page, 'version')
    await goto(page, `#/s/${id}/d1`)
    await page.waitForSelector('.only, .empty')
    await view(page, 'compared')
    await goto(page, '#/s/be457695-37fc-41a9-a90d-363a62823032')
    await page.click('aside summary >> text=subagents')
    await page.click('aside a >> text=agent-')
    await page.waitForSelector('.place')
    await page.waitForSelector('.turn')
    await view(page, 'subagent')
    await goto(page, '#/')
    await page.waitForSelector('.choices')
  },

  // Nobody is here yet.
  async empty() {
    place = 'empty'
    await goto(page, '#/')
    await page.waitForSelector('.empty, .failed')
    await view(page, 'empty')
  },

  // A second tab of this page gets the token from the first; a browser that was not led here gets none.
  async tabs() {
    place = 'tabs'
    const second = await watched()
    await second.goto(origin + '/')
    await second.waitForSelector('.choices')
    await second.close()
    const stranger = await browser.newContext(), p = await watched(stranger)
    p.mayFail = true
    await p.goto(origin + '/')
    await p.waitForSelector('.end')
    if (await p.$('a.row')) fault('a stranger sees sessions')
    await view(p, 'stranger')
    await stranger.close()
  },

  // A page of another port on this machine tries all that a page can, in the browser that has the token.
  async attack() {
    place = 'attack'
    const p = await context.newPage()
    await p.goto(other)
    const got = await p.evaluate(async at => {
      const got = []
      const tries = async (name, f) => { try { const r = await f(); if (r) got.push(`${name}: ${r}`) } catch { /* as it should be */ } }
      const headers = { 'X-Codeteleport-Token': '0'.repeat(64) }
      await tries('fetch', async () => (await fetch(at + '/api/here')).status)
      await tries('fetch with a header', async () => (await fetch(at + '/api/here', { headers })).status)
      await tries('fetch of a page', async () => (await fetch(at + '/app.js')).text())
      await tries('opaque', async () => (await (await fetch(at + '/api/here', { mode: 'no-cors' })).text()) || null)
      await tries('POST', async () => (await fetch(at + '/api/enter', { method: 'POST', body: 'x' })).status)
      const loads = (name, attributes) => tries(name, () => new Promise((done, fail) => {
        const e = Object.assign(document.createElement(name), attributes)
        e.onload = () => done('loaded')
        e.onerror = fail
        setTimeout(fail, 3000)
        document.body.append(e)
      }))
      await loads('script', { src: at + '/app.js', type: 'module' })
      await loads('script', { src: at + '/app.js' })
      await loads('link', { rel: 'stylesheet', href: at + '/style.css' })
      await loads('img', { src: at + '/icon.svg' })
      await tries('frame', () => new Promise(done => {
        const e = document.createElement('iframe')
        e.src = at + '/'
        e.onload = () => { try { done(e.contentDocument?.body?.textContent) } catch { done(null) } }
        setTimeout(() => done(null), 3000)
        document.body.append(e)
      }))
      await tries('storage', () => sessionStorage.getItem('token'))
      await tries('channel', () => new Promise(done => {
        const c = new BroadcastChannel('codeteleport')
        c.onmessage = m => done(JSON.stringify(m.data))
        c.postMessage('ask')
        setTimeout(() => done(null), 1000)
      }))
      await tries('window', () => new Promise(done => {
        const w = open(at + '/')
        setTimeout(() => { let r = null; try { r = w?.document?.body?.textContent } catch { r = null } done(r) }, 1500)
      }))
      return got
    }, origin)
    for (const g of got) fault(`another port got ${g.slice(0, 200)}`)
    for (const f of p.frames()) if (f !== p.mainFrame() && (await f.$('a.row').catch(() => null))) fault('shown in a frame')
    for (const w of context.pages()) if (w !== page) await w.close()
  },

  // A long session is there at once, and scrolls to its end and back.
  async long() {
    place = 'long'
    const [id] = sessions[0], begun = Date.now()
    await goto(page, `#/s/${id}`)
    await page.waitForSelector('.turn')
    console.log(`# open after ${Date.now() - begun} ms`)
    for (const where of ['End', 'Home', 'End']) {
      const t = Date.now()
      await page.evaluate(w => scrollTo(0, w === 'End' ? document.documentElement.scrollHeight : 0), where)
      await page.waitForFunction(() => {
        const e = document.elementFromPoint(400, innerHeight / 2)?.closest('section[data-piece]')
        return e && !e.hasAttribute('aria-busy')
      })
      if (where === 'End') await page.evaluate(() => scrollTo(0, document.documentElement.scrollHeight))
      console.log(`# ${where} after ${Date.now() - t} ms`)
    }
    await page.waitForFunction(() => document.querySelector('.turns').textContent.includes('the very last words'), null, { polling: 200 })
    for (let i = 1; i < 20; i++) {
      await page.evaluate(f => scrollTo(0, document.documentElement.scrollHeight * f), i / 20)
      await page.waitForFunction(() => !document.elementFromPoint(400, innerHeight / 2)?.closest('section[aria-busy]'))
    }
    const held = await page.evaluate(() => document.querySelectorAll('.turn').length)
    const pieces = await page.evaluate(() => document.querySelectorAll('section[data-piece]:not([aria-busy])').length)
    console.log(`# ${held} turns of ${pieces} pieces are held`)
    if (pieces > 30) fault(`${pieces} pieces are held`)
    await view(page, 'long')
  },

  // A thousand sessions: how long until there are rows, and all of them.
  async thousand() {
    place = 'thousand'
    const t = Date.now()
    await page.reload()
    await page.waitForSelector('a.row')
    console.log(`# rows after ${Date.now() - t} ms`)
    await page.waitForFunction(() => document.querySelectorAll('a.row').length >= 1000)
    console.log(`# all after ${Date.now() - t} ms`)
    await accessible(page, 'a thousand')
    await picture(page, 'thousand')
  },

  // What a button says, and what came of it.
  async buttons() {
    place = 'buttons'
    const [id] = sessions[0]
    await goto(page, `#/s/${id}`)
    await page.click('button >> text=Sync now')
    await page.waitForFunction(() => /saved/.test(document.getElementById('said').textContent))
    await page.click('button >> text=Pull to this machine')
    await page.waitForFunction(() => /here|newer|same|already/i.test(document.getElementById('said').textContent))
  },

  // The program ends: the page says so.
  async ended() {
    place = 'ended'
    page.mayFail = true
    spawnSync('kill', [process.env.WEB_PID])
    await page.waitForFunction(async () => { try { await fetch('/'); return false } catch { return true } }, null, { polling: 100 })
    await page.evaluate(() => document.activeElement.blur())
    await page.keyboard.press('r')
    await page.waitForSelector('.end')
    await view(page, 'ended')
  },
}

await enter()
for (const s of scenes) {
  const t = Date.now()
  if (!scene[s]) throw new Error(`no scene ${s}`)
  await scene[s]()
  console.log(`# ${s}: ${Date.now() - t} ms`)
}
await browser.close()
if (faults.length) process.exit(1)
console.log('done')
