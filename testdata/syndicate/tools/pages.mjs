// Opens pages in Chromium, narrow and wide, light and dark, with scripts and without,
// and prints what is wrong with each: what axe finds, what sticks out to the side, what
// the console and the network complain of.
// usage: PAPERWIRE_NODE_MODULES=…/node_modules node pages.mjs CHROMIUM < {"pages": [{"url", "headers", "views": how many}], "shots": "folder or empty"}
// needs: axe-core and puppeteer-core, which testdata/tools/package.json names.
import fs from 'node:fs'
import path from 'node:path'
import { require } from './schemas.mjs'

const puppeteer = require('puppeteer-core')
const axe = fs.readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8')
const { pages, shots } = JSON.parse(fs.readFileSync(0, 'utf8'))

const views = [
  { width: 390, scheme: 'light', scripts: true },
  { width: 1280, scheme: 'dark', scripts: true },
  { width: 390, scheme: 'dark', scripts: true },
  { width: 1280, scheme: 'light', scripts: true },
  { width: 390, scheme: 'light', scripts: false },
]

const browser = await puppeteer.launch({ executablePath: process.argv[2], args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-background-timer-throttling', '--disable-renderer-backgrounding', '--disable-backgrounding-occluded-windows'] })

async function look({ url, headers }, view, shot) {
  const page = await browser.newPage()
  const faults = []
  page.on('console', m => { if (['error', 'warn'].includes(m.type()) && !/status of [45]\d\d/.test(m.text())) faults.push(`console: ${m.text()}`) })
  page.on('pageerror', e => faults.push(`script: ${e.message}`))
  page.on('response', r => { if (r.status() >= 400 && r.request().resourceType() !== 'document') faults.push(`${r.status()} ${r.url()}`) })
  await page.setViewport({ width: view.width, height: 844 })
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: view.scheme }])
  await page.setJavaScriptEnabled(view.scripts)
  await page.setCacheEnabled(false)
  if (headers) await page.setExtraHTTPHeaders(headers)
  const answer = await page.goto(url, { waitUntil: 'load' })
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
  if (wide > 0) faults.push(`${wide} px stick out to the right`)
  const text = await page.evaluate(() => document.querySelector('main')?.innerText.trim().length ?? 0)
  if (text < 10) faults.push(`<main> has ${text} characters`)
  let checked = 0
  if (view.scripts) { // axe waits for timers, which do not run without
    await page.evaluate(axe)
    // In the dark only colours are others.
    const found = await page.evaluate(options => axe.run(document, options), view.scheme === 'dark' ? { runOnly: ['color-contrast'] } : {})
    checked = found.passes.length
    for (const v of found.violations) faults.push(...v.nodes.map(n => `axe ${v.id}: ${v.help}: ${n.target.join(' ')}: ${n.html.slice(0, 160)}`))
  }
  if (shots) await page.screenshot({ path: path.join(shots, String(shot).padStart(4, '0') + '.png'), fullPage: true })
  await page.close()
  const name = `${view.width} ${view.scheme}${view.scripts ? '' : ' without scripts'}`
  return { url, view: name, status: answer.status(), faults: [...new Set(faults)], checked }
}

const todo = pages.flatMap((p, i) => views.slice(0, p.views).map(v => [p, v, i]))
const out = new Array(todo.length)
let next = 0
// A tab behind another one has no picture taken.
await Promise.all(Array.from({ length: shots ? 1 : 2 }, async () => {
  for (let n = next++; n < todo.length; n = next++) out[n] = { page: todo[n][2], ...await look(todo[n][0], todo[n][1], n) }
}))
await browser.close()
console.log(JSON.stringify(out))
